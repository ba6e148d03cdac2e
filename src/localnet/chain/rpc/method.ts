import { z } from 'zod'
import { messageOf, publicKeyOf } from '../../../kernel/index.js'
import { RpcError } from '../node/index.js'
import { fromHex } from '../scale/index.js'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** A JSON-RPC method. It validates its own parameters. */
export type Method = (params: readonly unknown[]) => Json | Promise<Json>
export type Methods = Readonly<Record<string, Method>>

/** A method whose parameters are parsed with a schema. */
export function method<S extends z.ZodType>(
  schema: S,
  run: (params: z.output<S>) => Json | Promise<Json>,
): Method {
  return (params) => run(parseParams(schema, params))
}

/** A method that ignores its parameters. */
export function withoutParams(run: () => Json): Method {
  return () => run()
}

/** @throws RpcError -32602 */
export function parseParams<S extends z.ZodType>(schema: S, params: readonly unknown[]): z.output<S> {
  const parsed = schema.safeParse(params)
  if (parsed.success) return parsed.data
  throw new RpcError(-32602, 'Invalid params', z.prettifyError(parsed.error))
}

/** The public key of an SS58 address. @throws RpcError -32602 */
export function accountOf(address: string): Uint8Array {
  const account = publicKeyOf(address)
  if (account) return account
  throw new RpcError(-32602, 'Invalid params', `${address} is not an address of this chain`)
}

/** Hex as bytes; the 0x prefix is optional. */
export const hexBytes = z.string().transform((text, context) => {
  try {
    return fromHex(text)
  } catch (error) {
    context.addIssue({ code: 'custom', message: messageOf(error) })
    return z.NEVER
  }
})
export const hexText = z.string().regex(/^0x([0-9a-f]{2})*$/i)
export const blockHash = hexText.nullish()

export function hexNumber(value: number | bigint): string {
  return `0x${value.toString(16)}`
}
