import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Outbox } from '../../src/alerts/outbox.js'
import type { AlertChange } from '../../src/alerts/types.js'

function change(id: string, kind: AlertChange['kind']): AlertChange {
  const alert = {
    id,
    severity: 'warning',
    sentence: `${id} is wrong.`,
    since: '2026-01-01T00:00:00.000Z',
  } as const
  return { kind, alert, lastedMs: 0 }
}

function kindsOf(outbox: Outbox): string[] {
  return outbox.next().changes.map(({ alert, kind }) => `${alert.id} ${kind}`)
}

describe('the outbox', () => {
  it('does not tell an alert that ended before its message was sent', () => {
    const outbox = new Outbox()
    outbox.add(change('a', 'raised'))
    outbox.add(change('b', 'raised'))
    outbox.add(change('a', 'resolved'))
    expect(kindsOf(outbox)).toEqual(['b raised'])
  })

  it('does not tell the end of an alert that came back before it was sent', () => {
    const outbox = new Outbox()
    outbox.add(change('a', 'raised'))
    outbox.delivered(outbox.next())
    outbox.add(change('a', 'resolved'))
    outbox.add(change('a', 'raised'))
    expect(outbox.isEmpty).toBe(true)
  })

  it('tells the end of an alert that ended while its message was on the way', () => {
    const outbox = new Outbox()
    outbox.add(change('a', 'raised'))
    const batch = outbox.next()
    outbox.add(change('a', 'resolved'))
    outbox.delivered(batch)
    expect(kindsOf(outbox)).toEqual(['a resolved'])
  })

  it('tells an alert that comes back while the message about its end is on the way', () => {
    const outbox = new Outbox()
    outbox.add(change('a', 'raised'))
    outbox.delivered(outbox.next())
    outbox.add(change('a', 'resolved'))
    const batch = outbox.next()
    outbox.add(change('a', 'raised'))
    outbox.delivered(batch)
    expect(kindsOf(outbox)).toEqual(['a raised'])
  })

  it('calls a reminder of an alert that was never delivered its first message', () => {
    const outbox = new Outbox()
    outbox.add(change('a', 'raised'))
    outbox.next()
    outbox.add(change('a', 'reminder'))
    expect(kindsOf(outbox)).toEqual(['a raised'])
  })

  it('keeps a bounded number of changes and says how many it left out', () => {
    const outbox = new Outbox()
    for (let number = 0; number < 600; number++) outbox.add(change(`${number}`, 'raised'))
    const batch = outbox.next()
    expect(batch.changes).toHaveLength(20)
    expect(batch.omitted).toBe(100)
    outbox.delivered(batch)
    expect(outbox.next()).toMatchObject({ omitted: 0 })
  })

  it('knows what the receiver was told before a restart', () => {
    const before = new Outbox()
    before.add(change('a', 'raised'))
    before.delivered(before.next())
    const outbox = new Outbox(before.told)
    outbox.add(change('a', 'raised'))
    expect(outbox.isEmpty).toBe(true)
    outbox.add(change('a', 'resolved'))
    expect(kindsOf(outbox)).toEqual(['a resolved'])
  })

  it('leaves the receiver with what is true, however messages and changes interleave', () => {
    const steps = fc.array(fc.constantFrom('toggle a', 'toggle b', 'send', 'arrive', 'lose'), {
      maxLength: 60,
    })
    fc.assert(
      fc.property(steps, (actions) => {
        const outbox = new Outbox()
        const truth = new Set<string>()
        const received = new Set<string>()
        let onTheWay: ReturnType<Outbox['next']> | undefined
        const arrive = () => {
          for (const { alert, kind } of onTheWay?.changes ?? [])
            kind === 'resolved' ? received.delete(alert.id) : received.add(alert.id)
          if (onTheWay) outbox.delivered(onTheWay)
          onTheWay = undefined
        }
        for (const action of actions) {
          if (action === 'send') onTheWay ??= outbox.next()
          else if (action === 'arrive') arrive()
          else if (action === 'lose') onTheWay = undefined
          else {
            const id = action.slice(-1)
            const isRaised = !truth.has(id)
            isRaised ? truth.add(id) : truth.delete(id)
            outbox.add(change(id, isRaised ? 'raised' : 'resolved'))
          }
        }
        for (let left = 3; left > 0; left--) {
          onTheWay ??= outbox.next()
          arrive()
        }
        expect(received).toEqual(truth)
        expect(outbox.isEmpty).toBe(true)
      }),
    )
  })
})
