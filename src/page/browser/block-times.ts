import { duration } from './formats.js'

/** Blocks that are looked back on. */
const KEPT = 20

/** How long blocks take, as seen by this page: 12 s on finney, 1 s on a localnet. */
export class BlockTimes {
  #seen: { readonly block: number; readonly atMs: number }[] = []

  note(block: number, atMs: number): void {
    if (this.#seen.at(-1)?.block === block) return
    this.#seen = [...this.#seen, { block, atMs }].slice(-KEPT)
  }

  /** Milliseconds; undefined before two blocks have been seen to arrive. */
  get msPerBlock(): number | undefined {
    // The first block was there already when the page opened.
    const [, first] = this.#seen
    const last = this.#seen.at(-1)
    if (!first || !last || last.block <= first.block) return undefined
    return (last.atMs - first.atMs) / (last.block - first.block)
  }

  /** `42 blocks, about 8 min`. */
  describe(blocks: number): string {
    const words = blocks === 1 ? '1 block' : `${blocks} blocks`
    const perBlock = this.msPerBlock
    return perBlock === undefined || blocks <= 0 ? words : `${words}, about ${duration(blocks * perBlock)}`
  }
}
