import {
  decodeExtra,
  multiAddress,
  multiSignature,
  type Runtime,
  type RuntimeCall,
  type SignedExtra,
} from '../runtime/index.js'
import { encode, type Infer, Reader, Writer } from '../scale/index.js'
import { badFormat, RpcError, undecodable, unknownValidity } from './rpc-error.js'

const SIGNED_V4 = 0x84
const BARE_V4 = 0x04

export interface SignedExtrinsic {
  readonly bytes: Uint8Array
  readonly address: Infer<typeof multiAddress>
  readonly signature: Infer<typeof multiSignature>
  readonly extra: SignedExtra
  readonly extraBytes: Uint8Array
  readonly call: RuntimeCall
  readonly callBytes: Uint8Array
}

/**
 * Decodes a version 4 extrinsic with its length prefix.
 *
 * @throws RpcError 1001 for a bad length prefix, 1002 for a body that does not decode, 1011 for an unsigned extrinsic
 */
export function decodeExtrinsic(runtime: Runtime, bytes: Uint8Array): SignedExtrinsic {
  const reader = new Reader(bytes)
  let length: number
  try {
    length = reader.length()
  } catch (error) {
    throw badFormat(String(error))
  }
  if (length !== reader.remaining) throw badFormat('length prefix mismatch')
  try {
    return decodeBody(runtime, bytes, reader)
  } catch (error) {
    if (error instanceof RpcError) throw error
    throw undecodable(error instanceof Error ? error.message : String(error))
  }
}

function decodeBody(runtime: Runtime, bytes: Uint8Array, reader: Reader): SignedExtrinsic {
  const version = reader.byte()
  if (version === BARE_V4) throw unknownValidity('NoUnsignedValidator')
  if (version !== SIGNED_V4) throw new Error(`Invalid transaction version ${version}`)
  const address = multiAddress.decode(reader)
  const signature = multiSignature.decode(reader)
  const extraStart = reader.offset
  const extra = decodeExtra(reader)
  const callStart = reader.offset
  const call = runtime.call.decode(reader)
  reader.expectEnd()
  return {
    bytes,
    address,
    signature,
    extra,
    extraBytes: bytes.slice(extraStart, callStart),
    call,
    callBytes: bytes.slice(callStart),
  }
}

/** The timestamp inherent, which is the first extrinsic of every block. */
export function timestampInherent(runtime: Runtime, nowMs: number): Uint8Array {
  const call = encode(runtime.call, {
    type: 'Timestamp',
    value: { type: 'set', value: { now: BigInt(nowMs) } },
  })
  const writer = new Writer()
  writer.compact(call.length + 1)
  writer.byte(BARE_V4)
  writer.bytes(call)
  return writer.finish()
}
