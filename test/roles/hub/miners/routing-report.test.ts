import { expect, it } from 'vitest'
import { reportRouting } from '../../../../src/roles/hub/miners/routing-report.js'

const limits = { coldkeyShare: 1, trickle: 0.02 }
const minerOf = (hotkey: string, models: readonly string[], facts = {}) => ({
  ...{ hotkey, models, coldkey: hotkey, incentive: 0.5, inFlight: 0 },
  ...{ verified: undefined, tokensPerSecond: undefined, firstTokenMs: undefined, ...facts },
})

it('tells why and how likely each miner is chosen; one that is left out gets nothing', () => {
  const miners = [
    minerOf('good', ['org/a'], { verified: 1, tokensPerSecond: 40, firstTokenMs: 90 }),
    minerOf('left-out', ['org/a', 'org/b'], { verified: 0.7 }),
    minerOf('new', ['org/a'], { incentive: 0 }),
  ]
  const report = reportRouting<ReturnType<typeof minerOf>>({
    ...{ miners, limits, candidateOf: (miner) => miner },
    allows: ({ hotkey }) => hotkey !== 'left-out',
  })
  const none = { tokensPerSecond: null, firstTokenMs: null }
  expect(report.get('good')).toEqual([
    { model: 'org/a', share: 0.98, quality: 1, verified: 1, tokensPerSecond: 40, firstTokenMs: 90 },
  ])
  expect(report.get('left-out')).toEqual([
    { model: 'org/a', share: 0, quality: expect.closeTo(0.5), verified: 0.7, ...none },
    { model: 'org/b', share: 0, quality: expect.closeTo(0.5), verified: 0.7, ...none },
  ])
  expect(report.get('new')).toEqual([
    { model: 'org/a', share: expect.closeTo(0.02), quality: null, verified: null, ...none },
  ])
})

it('reports the models that most miners serve, of one that lists any number', () => {
  const names = Array.from({ length: 512 }, (_, index) => `a/${index}`)
  const miners = [minerOf('lists-all', names), minerOf('x', ['org/z']), minerOf('y', ['org/z'])]
  const report = reportRouting<ReturnType<typeof minerOf>>({
    miners,
    limits,
    candidateOf: (miner) => miner,
    allows: () => true,
  })
  expect(report.get('lists-all')).toHaveLength(31)
  expect(report.get('y')).toMatchObject([{ model: 'org/z', share: 0.5 }])
})
