import { expect, test } from 'vitest'
import type { ReferenceEngine } from '../../../../src/engine/index.js'
import { createReadiness } from '../../../../src/roles/validator/health/readiness.js'
import { ManualClock } from '../../../support/manual-clock.js'
import { servingMiners, viewOf } from '../rounds/round-parts.js'
import { createRigEngine } from '../validator-rig.js'

test('ready only with a fresh block, an engine that takes calls, a disk that takes scores, and while not draining', async () => {
  const clock = new ManualClock()
  let engines: ReferenceEngine[] = []
  let trouble: string | undefined
  let isDraining = false
  const readiness = createReadiness({
    ...{ clock, view: viewOf(servingMiners(1)), engines: () => engines },
    ...{ isDraining: () => isDraining, scoresTrouble: () => trouble },
  })
  expect(readiness.whyNot()).toMatch(/no reference engine/)
  engines = [createRigEngine('org/unwanted'), { ...createRigEngine(), unreadyReason: 'failed too often' }]
  expect(readiness.whyNot()).toMatch(/no reference engine/)
  engines = [createRigEngine()]
  expect(readiness.whyNot()).toBeUndefined()
  await clock.advance(121_000)
  expect(readiness.whyNot()).toBe('no new block for 121 s')
  readiness.onHead()
  expect(readiness.whyNot()).toBeUndefined()
  trouble = 'scores cannot be saved: ENOSPC'
  expect(readiness.whyNot()).toBe(trouble)
  isDraining = true
  expect(readiness.whyNot()).toBe('draining')
})
