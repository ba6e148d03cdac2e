import { getEventListeners } from 'node:events'
import { expect, it } from 'vitest'
import { withScopedSignal } from '../../src/kernel/scoped-signal.js'

const untilAborted = (scoped: AbortSignal) =>
  new Promise<never>((_, reject) => scoped.addEventListener('abort', () => reject(scoped.reason)))

it('withScopedSignal aborts with the first signal and its reason, and leaves no listener on any', async () => {
  const [lasting, brief] = [new AbortController(), new AbortController()]
  for (const one of [brief, lasting]) {
    const reason = new Error('over')
    const work = withScopedSignal([lasting.signal, new AbortController().signal, one.signal], untilAborted)
    one.abort(reason)
    await expect(work).rejects.toBe(reason)
    for (const { signal } of [lasting, brief]) expect(getEventListeners(signal, 'abort')).toEqual([])
  }
})

it('withScopedSignal does not start the work when a signal has already aborted', async () => {
  const over = AbortSignal.abort(new Error('over'))
  let started = false
  const work = withScopedSignal([new AbortController().signal, over], async () => {
    started = true
  })
  await expect(work).rejects.toThrow('over')
  expect(started).toBe(false)
})
