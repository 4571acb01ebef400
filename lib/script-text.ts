// The client script as text. It is empty here: scripts/build-client.js writes the
// module anew in dist/, so that a bundle of a server has the script in it.
export const SCRIPT: string = ''
