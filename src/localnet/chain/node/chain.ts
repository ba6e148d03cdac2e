import type { DevelopmentBeacon } from '../beacon/index.js'
import { type Runtime, system, timestamp } from '../runtime/index.js'
import { toHex } from '../scale/index.js'
import { State, StorageReader, StorageWriter } from '../storage/index.js'
import { type ChainRules, onInitialize, type PalletContext, validateCall } from '../subtensor/index.js'
import { applyExtrinsic, dispatchInfoOf, EventLog } from './apply.js'
import { type Block, digestOf, sealBlock } from './block.js'
import { BlockStore } from './block-store.js'
import { decodeExtrinsic, timestampInherent } from './extrinsic.js'
import { Listeners } from './listeners.js'
import { type PoolEntry, TransactionPool, type TransactionStatus } from './pool.js'
import { InvalidTransaction } from './rpc-error.js'
import { type ValidationContext, type ValidTransaction, validateExtrinsic } from './validity.js'

/** How many block hashes the chain remembers, as on finney. */
export const BLOCK_HASH_COUNT = 2400

export interface ChainParameters {
  readonly rules: ChainRules
  readonly netuids: readonly number[]
  /** How many blocks before the head stay readable. */
  readonly keptBlocks: number
  /** Signs the pulses that time-locked commits wait for. */
  readonly beacon: DevelopmentBeacon
  /** While true, no pulses are stored. */
  readonly isBeaconSilent: () => boolean
  /** Wall-clock milliseconds. */
  readonly now: () => number
}

/** The state, blocks and transaction pool of one chain. Produces blocks only when `produceBlock` is called. */
export class Chain {
  readonly state: State
  readonly storage: StorageWriter
  readonly pool = new TransactionPool()
  readonly onBlock = new Listeners<Block>()
  readonly onFinalized = new Listeners<Block>()
  readonly onRuntimeUpgrade = new Listeners<Runtime>()
  readonly onSubmitted = new Listeners<PoolEntry>()
  readonly #parameters: ChainParameters
  readonly #blocks: BlockStore
  readonly #included = new Map<number, readonly PoolEntry[]>()
  #runtime: Runtime
  #lastTimestampMs = 0

  /** @param genesis writes the state of block 0 */
  constructor(runtime: Runtime, parameters: ChainParameters, genesis: (storage: StorageWriter) => void) {
    this.#runtime = runtime
    this.#parameters = parameters
    this.state = new State(parameters.keptBlocks)
    this.storage = new StorageWriter(this.state)
    genesis(this.storage)
    this.#recordRuntime()
    this.#blocks = new BlockStore(this.#seal(0, undefined, []), parameters.keptBlocks)
  }

  get runtime(): Runtime {
    return this.#runtime
  }

  get head(): Block {
    return this.#blocks.head
  }

  get finalized(): Block {
    return this.#blocks.finalized
  }

  get genesisHash(): Uint8Array {
    const genesis = this.#blocks.byNumber(0)
    if (!genesis) throw new Error('genesis block is missing')
    return genesis.hash
  }

  blockByNumber(number: number): Block | undefined {
    return this.#blocks.byNumber(number)
  }

  blockByHash(hash: string): Block | undefined {
    return this.#blocks.byHash(hash)
  }

  /** The hash of a block, from storage when the block itself was pruned. */
  hashOf(number: number): Uint8Array | undefined {
    const block = this.#blocks.byNumber(number)
    if (block) return block.hash
    if (number < 0 || number > this.head.number) return undefined
    return this.storage.has(system.BlockHash, number) ? this.storage.get(system.BlockHash, number) : undefined
  }

  /**
   * Adds a transaction to the pool.
   *
   * @throws RpcError when a node would reject it
   */
  submit(bytes: Uint8Array, onStatus: (status: TransactionStatus) => void = () => {}): string {
    const extrinsic = decodeExtrinsic(this.#runtime, bytes)
    const validity = this.validate(bytes)
    const entry = this.pool.add(extrinsic, validity, onStatus)
    const isReady = extrinsic.extra.nonce <= this.nextNonce(validity.account)
    onStatus(isReady ? 'ready' : 'future')
    this.onSubmitted.notify(entry)
    return entry.hash
  }

  /** @throws RpcError */
  validate(bytes: Uint8Array): ValidTransaction {
    return validateExtrinsic(this.#validation(this.head.number), decodeExtrinsic(this.#runtime, bytes))
  }

  /** The next nonce of an account, counting its transactions in the pool. */
  nextNonce(account: Uint8Array): number {
    return this.pool.nextNonce(account, this.storage.get(system.Account, account).nonce)
  }

  /** Produces a block from the pool and notifies the listeners. */
  produceBlock(): Block {
    const number = this.head.number + 1
    const parent = this.head
    const events = new EventLog()
    const context = this.#context(number, events)
    this.storage.set(system.Number, number)
    this.storage.set(system.ParentHash, parent.hash)
    this.storage.set(system.Digest, digestOf(number))
    this.storage.set(system.BlockHash, parent.hash, parent.number)
    const oldest = parent.number - BLOCK_HASH_COUNT
    if (oldest >= 0) this.storage.delete(system.BlockHash, oldest)
    const { netuids, isBeaconSilent, now } = this.#parameters
    onInitialize(context, {
      netuids,
      beacon: isBeaconSilent() ? undefined : this.#parameters.beacon,
      nowMs: now(),
    })

    const extrinsics = [this.#applyTimestamp(events)]
    const included: PoolEntry[] = []
    for (const entry of this.pool.queue) {
      if (this.#include(entry, context, events, extrinsics.length)) {
        extrinsics.push(entry.extrinsic.bytes)
        included.push(entry)
      }
    }
    events.phase = { type: 'Finalization', value: undefined }
    this.storage.set(this.#runtime.events, events.records)
    this.storage.set(system.EventCount, events.length)

    const block = this.#seal(number, parent, extrinsics)
    this.#blocks.append(block)
    this.#included.set(number, included)
    for (const entry of included) entry.onStatus({ inBlock: toHex(block.hash) })
    this.onBlock.notify(block)
    this.#dropExpired(number)
    return block
  }

  /** Finalizes every block up to `number`. */
  finalizeUpTo(number: number): void {
    for (const block of this.#blocks.finalize(number)) {
      for (const entry of this.#included.get(block.number) ?? []) {
        entry.onStatus({ finalized: toHex(block.hash) })
      }
      this.#included.delete(block.number)
      this.onFinalized.notify(block)
    }
  }

  /** Switches to another runtime in a new block. Transactions signed for the old one become invalid. */
  upgradeRuntime(runtime: Runtime): void {
    this.#runtime = runtime
    this.#recordRuntime()
    this.produceBlock()
    this.onRuntimeUpgrade.notify(runtime)
  }

  /** Reads the state after a block. */
  readerAt(block: Block): StorageReader {
    return new StorageReader(this.state.at(block.number))
  }

  #context(block: number, events: EventLog): PalletContext {
    return {
      storage: this.storage,
      block,
      dialect: this.#runtime.dialect,
      rules: this.#parameters.rules,
      deposit: (event) => events.deposit(event),
    }
  }

  #validation(block: number): ValidationContext {
    const { dialect } = this.#runtime
    return {
      storage: this.storage,
      currentBlock: block === this.head.number ? block + 1 : block,
      specVersion: dialect.specVersion,
      transactionVersion: dialect.transactionVersion,
      blockHashCount: BLOCK_HASH_COUNT,
      genesisHash: this.genesisHash,
      hashOf: (number) => this.hashOf(number),
      validateCall: (account, call) => {
        if (call.type !== 'SubtensorModule') return
        const { rules } = this.#parameters
        validateCall({ storage: this.storage, block, dialect, rules }, account, call.value)
      },
    }
  }

  #applyTimestamp(events: EventLog): Uint8Array {
    const nowMs = Math.max(this.#parameters.now(), this.#lastTimestampMs + 1)
    this.#lastTimestampMs = nowMs
    this.storage.set(timestamp.Now, BigInt(nowMs))
    events.phase = { type: 'ApplyExtrinsic', value: 0 }
    const value = { dispatch_info: dispatchInfoOf('Mandatory', true) }
    events.deposit({ type: 'System', value: { type: 'ExtrinsicSuccess', value } })
    return timestampInherent(this.#runtime, nowMs)
  }

  /** Validates a pooled transaction again and applies it. @returns whether the block includes it */
  #include(entry: PoolEntry, context: PalletContext, events: EventLog, index: number): boolean {
    const { account } = entry.validity
    if (entry.extrinsic.extra.nonce > this.storage.get(system.Account, account).nonce) return false
    this.pool.remove(entry.hash)
    try {
      const validity = validateExtrinsic(this.#validation(context.block), entry.extrinsic)
      events.phase = { type: 'ApplyExtrinsic', value: index }
      applyExtrinsic(context, this.state, events, this.#runtime, { extrinsic: entry.extrinsic, validity })
      return true
    } catch (error) {
      if (!(error instanceof InvalidTransaction)) throw error
      entry.onStatus('invalid')
      return false
    }
  }

  #seal(number: number, parent: Block | undefined, extrinsics: readonly Uint8Array[]): Block {
    const changes = this.state.seal(number)
    const readValue = (key: string) => this.state.raw(key)
    return sealBlock({ parent, number, extrinsics, changes, runtime: this.#runtime, readValue })
  }

  /** Removes transactions whose mortal era has ended. */
  #dropExpired(number: number): void {
    for (const entry of this.pool.entries) {
      const { deathBlock } = entry.validity
      if (deathBlock === undefined || deathBlock > number + 1) continue
      this.pool.remove(entry.hash)
      entry.onStatus('invalid')
    }
  }

  #recordRuntime(): void {
    const { spec_version, spec_name } = this.#runtime.version
    this.storage.set(system.LastRuntimeUpgrade, { spec_version, spec_name })
    // Clients subscribe to `:code` to detect upgrades. There is no wasm, so its value names the spec version.
    this.state.put('0x3a636f6465', new TextEncoder().encode(`development-chain/${spec_version}`))
  }
}
