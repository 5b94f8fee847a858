// Made by tools/build/shell.mjs from injected/.

/** The script for pages of the site. */
export const script: string;
/** Its hash as a source of a content security policy. */
export const scriptHash: string;
