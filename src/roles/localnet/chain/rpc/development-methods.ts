import { z } from 'zod'
import type { Chain } from '../node/index.js'
import { toHex } from '../scale/index.js'
import { type Methods, method } from './method.js'

const MAX_NEW_BLOCKS = 100_000

/** `dev_*`: control of the chain by tests and people. */
export function developmentMethods(chain: Chain): Methods {
  return {
    dev_newBlock: method(
      z.tuple([z.number().int().min(1).max(MAX_NEW_BLOCKS)]).or(z.tuple([])),
      ([count = 1]) => {
        for (let made = 0; made < count; made++) chain.produceBlock()
        return toHex(chain.head.hash)
      },
    ),
  }
}
