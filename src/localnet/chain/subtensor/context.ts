import type { Dialect, RuntimeEvent, SubtensorError, SubtensorEvent } from '../runtime/index.js'
import type { StorageReader, StorageWriter } from '../storage/index.js'

/** Rules that differ from the real runtime. */
export interface ChainRules {
  /** Accepts 127.0.0.1 and ::1 as axon addresses, which the real runtime rejects. */
  readonly allowLoopbackAxon: boolean
}

/** What runtime APIs read: the state and dialect of one block. */
export interface ReadContext {
  readonly storage: StorageReader
  readonly block: number
  readonly dialect: Dialect
}

/** What dispatched calls and the block hook work with. */
export interface PalletContext extends ReadContext {
  readonly storage: StorageWriter
  readonly rules: ChainRules
  deposit(event: RuntimeEvent): void
}

/** A call failed with a pallet error; its writes are rolled back. */
export class DispatchError extends Error {
  override readonly name = 'DispatchError'

  constructor(
    readonly error: string,
    readonly pallet: 'SubtensorModule' | 'Balances' | 'System' = 'SubtensorModule',
  ) {
    super(`${pallet}.${error}`)
  }
}

/** FRAME's `ensure!`. @throws DispatchError with this error of SubtensorModule unless the condition holds */
export function ensure(condition: boolean, error: SubtensorError): asserts condition {
  if (!condition) throw new DispatchError(error)
}

export function depositEvent(context: PalletContext, event: SubtensorEvent): void {
  context.deposit({ type: 'SubtensorModule', value: event })
}
