// What Wine does otherwise than Windows, and what cannot run under it, each with the reason.

const named = (reason, specs) => Object.fromEntries(specs.map((spec) => [spec, reason]));

/** Specs that are about something else than storage on Windows, or need what Wine has not. */
export const NOT_RUN = {
  ...named("pages, types and sources, the same on every system", [
    "core-types",
    "docs",
    "exports",
    "guide",
    "packages",
  ]),
  ...named("starts a browser, which is that of this system", [
    "electron-app",
    "renderers-chromium",
  ]),
  ...named("bundles modules of the package with esbuild, whose program is that of this system", [
    "codec",
    "read-again",
    "realms",
    "writer",
  ]),
  ...named("loads unstorage and other packages, about JavaScript alone", [
    "state-libraries",
    "unstorage-drivers",
    "drivers-table",
  ]),
};

/** Specs that take another measure under Wine, which environment variables tell them. */
export const SMALLER = {
  "large-batch": {
    env: { EAS_SPEC_ITEMS: "400" },
    reason:
      "400 items in place of 4,200: for each name that is not there Wine looks through the whole folder",
  },
  torture: {
    env: { EAS_TORTURE_TOO_LONG: "EIO", EAS_SPEC_AT_ONCE: "1" },
    reason:
      "one attack at a time: one server takes the calls of all processes under Wine, and among those of five attacks a call waits for the lock of a key until it gives up (EBUSY); EIO for keys of over 3,000 characters: of a path that the system below has no room for Wine says ERROR_GEN_FAILURE, where Windows takes it or says ERROR_FILENAME_EXCED_RANGE (ENAMETOOLONG)",
  },
};

const REPLACED =
  "this version of Wine lacks the rename with POSIX semantics, by which Windows replaces a file that is open";
const OPEN_NAMES =
  "Wine keeps the name of what is open somewhere until it is closed, where Windows removes it at once";

/** By the name of the spec: tests that fail under Wine and not on Windows. */
export const DIFFERENT = {
  "contract/contract": [
    {
      tests: /a huge key is kept whole or refused with nothing changed/,
      reason:
        "of a path over 32,767 characters Wine says ERROR_GEN_FAILURE (EIO), Windows ERROR_FILENAME_EXCED_RANGE (ENAMETOOLONG)",
    },
  ],
  durability: [
    {
      tests: /the end of the process > finishes a clear that was not awaited/,
      reason: "Wine removes 3,000 files more slowly than the end of a process waits for",
    },
  ],
  "fs-held": [
    {
      tests: /a file that a reader has open > is replaced/,
      reason: REPLACED,
    },
    {
      tests: /a file that a reader has open > is removed and made again/,
      reason: OPEN_NAMES,
    },
  ],
  "fs-outside": [
    {
      tests: /a link that leads nowhere is ENOENT/,
      reason: "of a link to a file this version of Wine says that it made one, and makes none",
    },
  ],
  sharing: [
    {
      tests: /worker threads and the main thread never see part of a value/,
      reason: REPLACED,
    },
  ],
  "watch-options": [
    {
      tests: /silences what it hides from listings, and clear leaves it alone/,
      reason: OPEN_NAMES,
    },
  ],
};

/** In every spec: what a failure says that is Wine's. */
export const ERRORS = [
  {
    errors: /^Error: ENOTSUP: .*, symlink /,
    reason: "this version of Wine makes no links or junctions",
  },
  // Node removes and makes folders in which a watch looks at what has changed.
  { errors: /^Error: ENOTEMPTY: directory not empty, rmdir /, reason: OPEN_NAMES },
  { errors: /^Error: EEXIST: file already exists, mkdir /, reason: OPEN_NAMES },
  {
    errors: /^Error: EBUSY: resource busy or locked, rmdir /,
    reason:
      "Wine lists a folder without FILE_SHARE_DELETE, so that nobody can remove it meanwhile; Windows shares it",
  },
];
