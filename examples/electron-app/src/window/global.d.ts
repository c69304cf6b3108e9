interface Window {
  readonly api: import("../api.js").Api;
}
