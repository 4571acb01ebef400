// Addresses of a template, with the routes that they reach.
import type { Address } from './address.js'
import type { Reach } from './route-index.js'

/** An address and the routes that it reaches; undefined when its path is not known, or there is too much to compare. */
export interface Wire extends Address { reach: Reach | undefined }
