// The client script as text. It is empty here: scripts/build-client.js writes this
// module again in dist/, so that a bundle of a server contains the script.
export const SCRIPT: string = ''
