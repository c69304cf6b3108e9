/** What the preload script puts into the window as `window.api`. */

/** Everything the user can choose. */
export interface Settings {
  theme: "system" | "light" | "dark";
  fontSize: number;
}

/** A setting that changed, by whatever program. */
export type SettingChange = {
  [Name in keyof Settings]: { name: Name; value: Settings[Name] };
}[keyof Settings];

export interface Api {
  /** The settings as they were before the first paint. */
  initial: Settings;
  /** Stores a setting; the Promise rejects when the value is none that the setting can have. */
  set<Name extends keyof Settings>(name: Name, value: Settings[Name]): Promise<void>;
  /** Calls `listener` for every change until the function it returns is called. */
  onChange(listener: (change: SettingChange) => void): () => void;
  /** Adds a line to the log of this session, and gives the number of its lines. */
  record(what: string): Promise<number>;
  /** A text about the machine that is costly to make, so the main process caches it. */
  describeMachine(): Promise<string>;
}
