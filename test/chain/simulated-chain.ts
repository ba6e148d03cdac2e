import type { ChainRefusal, WeightsChain, WeightsStatus } from '../../src/chain/index.js'

export const RATE_LIMIT = 10

/** What happens to a submission; `crash-…` ends the process between signing and the result. */
export type Fate = 'included' | 'lost' | 'late' | 'crash-landed' | 'crash-lost' | 'failed'

export class Crash extends Error {}

/** A chain reduced to nonces, the rate limit and LastUpdate. */
export class SimulatedChain implements WeightsChain {
  readonly genesisHash = '0x00'
  block = 100
  lastUpdate = 0
  nonce = 0
  fates: Fate[] = []
  readonly accepted: number[] = []
  readonly tooFast: number[] = []
  /** Extrinsics in the pool: their nonce, and the block that will include them. */
  #pool: { nonce: number; due: number }[] = []
  /** Blocks a late extrinsic stays in the pool. */
  poolBlocks = 1
  stored: { uid: number; weightU16: number }[] = []
  commit = false
  rateLimit = RATE_LIMIT
  /** Blocks produced between decision and signature, per call. */
  delays: number[] = []
  /** Refusals of the next calls: by the client before it signs, by the pool, or by a block, which uses the nonce. */
  refusals: { readonly class: ChainRefusal['class']; readonly by: 'client' | 'pool' | 'block' }[] = []
  /** Signs with the current nonce instead of the one read at the decision. */
  isNaive = false

  head = () => ({ number: this.block, hash: '0x' })
  weightsOf = async () => this.stored

  async weightsStatus(): Promise<WeightsStatus> {
    return {
      block: this.block,
      uid: 1,
      lastUpdateBlock: this.lastUpdate,
      rateLimitBlocks: this.rateLimit,
      nonce: this.nonce,
    }
  }

  advance(blocks = 1): void {
    for (let made = 0; made < blocks; made++) {
      this.block++
      for (const { nonce, due } of this.#pool) if (due === this.block) this.#include(nonce)
      this.#pool = this.#pool.filter(({ due }) => due > this.block)
    }
  }

  /** Another validator with the same hotkey sets weights, which uses a nonce. */
  setByOther(): void {
    this.lastUpdate = this.block
    this.nonce++
  }

  /** A re-org moves the extrinsics of the newest block into the next one. */
  reorganise(): void {
    this.block++
    this.lastUpdate++
    this.accepted.push((this.accepted.pop() ?? 0) + 1)
  }

  #include(nonce: number): boolean {
    if (nonce !== this.nonce) return false
    this.nonce++
    if (this.block - this.lastUpdate < this.rateLimit) {
      this.tooFast.push(this.block)
      return false
    }
    this.lastUpdate = this.block
    this.accepted.push(this.block)
    return true
  }

  setWeights: WeightsChain['setWeights'] = async (_signer, request) => {
    this.advance(this.delays.shift() ?? 0)
    const refused = this.refusals.shift()
    const refusal = { class: refused?.class ?? 'other', name: `Refused by ${refused?.by}`, detail: '' }
    if (refused?.by === 'client') return { kind: 'refused', refusal }
    if (this.block - this.lastUpdate < this.rateLimit) {
      return { kind: 'refused', refusal: { class: 'too-fast', name: 'SettingWeightsTooFast', detail: '' } }
    }
    const entries = [{ uid: 2, weightU16: 65_535 }]
    const nonce = this.isNaive ? this.nonce : (request.nonce ?? this.nonce)
    await request.onSigned?.({ hash: '0x01', nonce, path: this.commit ? 'commit' : 'direct', entries })
    if (nonce < this.nonce) {
      return { kind: 'refused', refusal: { class: 'stale', name: 'pool 1010 outdated', detail: '' } }
    }
    if (refused) {
      if (refused.by === 'block') this.nonce++
      return { kind: 'refused', refusal }
    }
    const fate = this.fates.shift() ?? 'included'
    if (fate === 'crash-lost') throw new Crash()
    if (fate === 'crash-landed' || fate === 'late') {
      this.#pool.push({ nonce, due: this.block + this.poolBlocks })
    }
    if (fate === 'crash-landed') throw new Crash()
    if (fate === 'lost' || fate === 'late') return { kind: 'unconfirmed', reason: fate }
    this.block++
    if (fate === 'failed') {
      this.nonce++
      return { kind: 'refused', refusal: { class: 'other', name: 'Failed', detail: '' } }
    }
    this.#include(nonce)
    const reveal = this.commit ? { revealBlock: this.block + 20, revealRound: 1 } : {}
    return { kind: 'set', block: this.block, path: 'direct', hash: '0x01', entries, ...reveal }
  }
}
