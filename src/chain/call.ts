import { TargonError } from '../kernel/index.js'
import { camelCase, type Runtime } from './runtime.js'

/** A call by name, with its arguments by their names in the metadata. */
export interface Call {
  readonly pallet: string
  readonly method: string
  readonly args: Readonly<Record<string, unknown>>
}

/** A SubtensorModule call. */
export function subtensorCall(method: string, args: Readonly<Record<string, unknown>>): Call {
  return { pallet: 'SubtensorModule', method, args }
}

export function hasCall(runtime: Runtime, method: string): boolean {
  return runtime.types.tx.subtensorModule?.[camelCase(method)] !== undefined
}

/**
 * Builds the call with the arguments in the runtime's order. A call that does not exist any more,
 * or one with an argument we do not know, is an error rather than a guess.
 *
 * @throws TargonError CHAIN_CALL_GONE (fault chain).
 */
export function buildCall(runtime: Runtime, { pallet, method, args }: Call) {
  const make = runtime.types.tx[camelCase(pallet)]?.[camelCase(method)]
  // The library camel-cases argument names for some metadata versions only, so both sides are camel-cased here.
  const known = new Map(Object.entries(args).map(([name, value]) => [camelCase(name), value]))
  const names = make?.meta.args.map(({ name }) => camelCase(name.toString()))
  const missing = names?.filter((name) => !known.has(name))
  if (!make || !names || missing === undefined || missing.length > 0) {
    const why = make
      ? `requires ${missing?.join(', ')}, which this version does not support`
      : 'does not exist'
    throw new TargonError(`The call ${pallet}.${method} ${why} in runtime ${runtime.specVersion}.`, {
      code: 'CHAIN_CALL_GONE',
      fault: 'chain',
      next: 'Update this software: targon update --check.',
      facts: { pallet, method, specVersion: runtime.specVersion, missing: missing ?? [] },
    })
  }
  return make(...names.map((name) => known.get(name)))
}
