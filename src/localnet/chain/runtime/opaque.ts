import { bytes, encode, type ScaleType } from '../scale/index.js'

/**
 * `Vec<u8>` with the encoded value in it, or empty for undefined: what runtime APIs returned before their results had
 * types. It cannot be decoded, because clients alone know the type inside.
 */
export function opaque<T>(inner: ScaleType<T>): ScaleType<T | undefined> {
  return {
    key: bytes.key,
    describe: bytes.describe,
    encode: (writer, value) => {
      bytes.encode(writer, value === undefined ? new Uint8Array() : encode(inner, value))
    },
    decode: () => {
      throw new Error('an opaque result is not decoded')
    },
  }
}
