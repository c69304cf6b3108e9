/** The addon is there, the driver is not: its rows are shown as missing. */
export class MissingDriver extends Error {}
