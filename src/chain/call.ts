import { TargonError } from '../kernel/index.js'
import { camelCase, type Runtime } from './runtime.js'

/** A call by name; arguments by the names the metadata gives them. */
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
  return runtime.api.tx.subtensorModule?.[camelCase(method)] !== undefined
}

/**
 * The call as an unsigned extrinsic. Arguments are put in the runtime's order; one the runtime wants and we do not
 * know, or a call that is gone, is an error rather than a guess.
 *
 * @throws TargonError CHAIN_CALL_GONE (fault chain).
 */
export function buildCall(runtime: Runtime, { pallet, method, args }: Call) {
  const make = runtime.api.tx[camelCase(pallet)]?.[camelCase(method)]
  // The library camel-cases the names of arguments in some metadata versions: compare them in one spelling.
  const known = new Map(Object.entries(args).map(([name, value]) => [camelCase(name), value]))
  const names = make?.meta.args.map(({ name }) => camelCase(name.toString()))
  const missing = names?.filter((name) => !known.has(name))
  if (!make || !names || missing === undefined || missing.length > 0) {
    const why = make ? `wants ${missing?.join(', ')}, which this version does not know` : 'does not exist'
    throw new TargonError(`The call ${pallet}.${method} ${why} in runtime ${runtime.specVersion}.`, {
      code: 'CHAIN_CALL_GONE',
      fault: 'chain',
      next: 'Update this software: targon update --check.',
      facts: { pallet, method, specVersion: runtime.specVersion, missing: missing ?? [] },
    })
  }
  return make(...names.map((name) => known.get(name)))
}
