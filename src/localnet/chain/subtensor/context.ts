import type { Dialect, RuntimeEvent, SubtensorError, SubtensorEvent } from '../runtime/index.js'
import type { StorageReader, StorageWriter } from '../storage/index.js'

/** Rules of this chain that the real runtime does not have. */
export interface ChainRules {
  /** Accepts 127.0.0.1 and ::1 as axon addresses; the real runtime refuses them. */
  readonly allowLoopbackAxon: boolean
}

/** What reading code sees. */
export interface ReadContext {
  readonly storage: StorageReader
  readonly block: number
  readonly dialect: Dialect
}

/** What dispatched calls and block hooks work on. */
export interface PalletContext extends ReadContext {
  readonly storage: StorageWriter
  readonly rules: ChainRules
  deposit(event: RuntimeEvent): void
}

/** A dispatched call failed with a named error of a pallet; everything it wrote is taken back. */
export class DispatchError extends Error {
  override readonly name = 'DispatchFailure'

  constructor(
    readonly error: string,
    readonly pallet: 'SubtensorModule' | 'Balances' | 'System' = 'SubtensorModule',
  ) {
    super(`${pallet}.${error}`)
  }
}

/** @throws DispatchFailure with this error of SubtensorModule unless the condition holds. */
export function ensure(condition: boolean, error: SubtensorError): asserts condition {
  if (!condition) throw new DispatchError(error)
}

export function depositEvent(context: PalletContext, event: SubtensorEvent): void {
  context.deposit({ type: 'SubtensorModule', value: event })
}
