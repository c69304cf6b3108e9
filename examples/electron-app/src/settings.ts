// What both processes know about the settings.

import type { Settings } from "./api.js";

export const DEFAULTS: Settings = { theme: "system", fontSize: 14 };

const isSetting: { [Name in keyof Settings]: (value: unknown) => boolean } = {
  theme: (value) => value === "system" || value === "light" || value === "dark",
  fontSize: (value) => Number.isInteger(value) && Number(value) >= 8 && Number(value) <= 40,
};

export function isSettingName(name: unknown): name is keyof Settings {
  return typeof name === "string" && Object.hasOwn(isSetting, name);
}

/** Whether the setting can have the value. What comes from a window is not trusted to have its type. */
export function isValueOf<Name extends keyof Settings>(
  name: Name,
  value: unknown,
): value is Settings[Name] {
  return isSetting[name](value);
}
