/** Something that is measured is not there: the rows that need it are shown as missing. */
export class Missing extends Error {}

/** The addon is there, the driver is not. */
export class MissingDriver extends Missing {}

/** A program to measure against is not installed. */
export class MissingPeer extends Missing {}
