import { getEventListeners } from 'node:events'
import { expect, it } from 'vitest'
import { withScopedSignal } from '../../src/kernel/scoped-signal.js'

const untilAborted = (own: AbortSignal) =>
  new Promise<never>((_, reject) => own.addEventListener('abort', () => reject(own.reason)))

it('ends with whichever signal aborts first, for its reason, and leaves nothing on either', async () => {
  const [lasting, brief] = [new AbortController(), new AbortController()]
  for (const one of [brief, lasting]) {
    const reason = new Error('over')
    const work = withScopedSignal([lasting.signal, new AbortController().signal, one.signal], untilAborted)
    one.abort(reason)
    await expect(work).rejects.toBe(reason)
    for (const { signal } of [lasting, brief]) expect(getEventListeners(signal, 'abort')).toEqual([])
  }
})

it('does not begin when a signal has aborted', async () => {
  const over = AbortSignal.abort(new Error('over'))
  let began = false
  const work = withScopedSignal([new AbortController().signal, over], async () => {
    began = true
  })
  await expect(work).rejects.toThrow('over')
  expect(began).toBe(false)
})
