// Gzip (https://www.rfc-editor.org/rfc/rfc1952) that is put together from pieces: each ends at a byte, refers to nothing
// but what its maker names, and can so go to many connections, whatever they were sent before.
import { constants, crc32, deflateRawSync } from 'node:zlib'

/** The header: deflate, no name, no time, unknown system. */
export const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])

// An empty last block.
const FINAL = [0x03, 0x00]

// Compressing less takes longer than it gains: a heartbeat, the first frame, a cursor.
export const MIN_SIZE = 64

const OPTIONS = { level: 6, finishFlush: constants.Z_SYNC_FLUSH }

/** A text as blocks of deflate. They may refer to `before`, which the client must have had right before it. */
export function deflate (plain: Buffer, before: Buffer | undefined): Buffer {
  if (plain.length < MIN_SIZE) return store(plain)
  return deflateRawSync(plain, before === undefined ? OPTIONS : { ...OPTIONS, dictionary: before })
}

/** A block that is not compressed. */
function store (plain: Buffer): Buffer {
  const block = Buffer.alloc(5 + plain.length)
  block.writeUInt16LE(plain.length, 1)
  block.writeUInt16LE(plain.length ^ 0xffff, 3)
  plain.copy(block, 5)
  return block
}

/** The trailer, by which a client checks that it has all. */
export function trailer (sum: number, size: number): Buffer {
  const end = Buffer.from([...FINAL, 0, 0, 0, 0, 0, 0, 0, 0])
  end.writeInt32LE(sum, 2)
  end.writeUInt32LE(size, 6)
  return end
}

/** The checksum of a text, to be added to that of others with {@link addSum}. */
export interface Sum {
  /** Its CRC-32, as a signed number. */
  value: number
  /** What moves a checksum past the text. */
  shift: number
}

export function sumOf (plain: Buffer): Sum {
  return { value: crc32(plain) | 0, shift: power(plain.length) }
}

/** The checksum of what has the checksum `sum`, and of a text behind it: without a look at the text, which many have in common. */
export function addSum (sum: number, { value, shift }: Sum): number {
  return multiply(sum, shift) ^ value
}

// Polynomials over GF(2), the highest power last, modulo that of CRC-32 (https://github.com/madler/zlib/blob/develop/crc32.c).
const POLYNOMIAL = 0xedb88320 | 0
const ONE = 1 << 31

function multiply (a: number, b: number): number {
  let product = 0
  for (; a !== 0; a <<= 1) {
    if (a < 0) product ^= b
    b = (b & 1) === 0 ? b >>> 1 : (b >>> 1) ^ POLYNOMIAL
  }
  return product
}

/** x to the power of so many bytes. */
function power (bytes: number): number {
  let result = ONE
  // x^8
  let factor = ONE >>> 8
  for (let rest = bytes; rest !== 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = multiply(factor, result)
    factor = multiply(factor, factor)
  }
  return result
}
