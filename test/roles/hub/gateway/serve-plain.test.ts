import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { expect, it } from 'vitest'
import type { Asking, Attempt, PlainPiece } from '../../../../src/roles/hub/asking/index.js'
import { servePlain } from '../../../../src/roles/hub/gateway/serve-plain.js'
import type { ServeDeps, Served } from '../../../../src/roles/hub/gateway/types.js'
import type { TurnEnd } from '../../../../src/roles/hub/miners/index.js'
import { ManualClock } from '../../../support/manual-clock.js'

it('does not count the time of a miner that failed before against the one that answers', async () => {
  const clock = new ManualClock()
  const ends: TurnEnd[] = []
  const pass: Asking['pass'] = async () => {
    await clock.advance(9000)
    const attempt: Attempt<PlainPiece> = {
      miner: { uid: 2, hotkey: 'h', coldkey: 'c', url: 'http://127.0.0.1:1' },
      turn: { end: (how) => void ends.push(how) },
      startMs: clock.monotonic(),
      started: Promise.resolve(),
      pieces: async function* () {
        await clock.advance(100)
        yield { bytes: Buffer.from('{}'), contentType: 'application/json' }
      },
      abort: () => {},
    }
    return attempt
  }
  const progress = { startMs: 0, attempts: 1, hedges: 0, failures: new Map(), tokens: 0 }
  const served = {
    ...{ id: 'req_1', key: {}, request: {}, progress },
    response: new ServerResponse(new IncomingMessage(new Socket())),
    signal: new AbortController().signal,
  } as unknown as Served
  await servePlain(served, { clock, asking: { pass }, stallMs: 1000 } as unknown as ServeDeps)
  expect(ends).toEqual([{ kind: 'answered', firstTokenMs: 100, tokens: 0, streamedMs: 0 }])
  expect(progress).toMatchObject({ firstTokenMs: 9100 })
})
