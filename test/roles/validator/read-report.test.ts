import { afterEach, expect, test } from 'vitest'
import { systemClock } from '../../../src/clock.js'
import { readMinersReport } from '../../../src/roles/validator/index.js'
import { startFakeMiner } from '../../support/fake-miner.js'
import { createRig, MODEL } from './validator-rig.js'

const open: { dispose?(): Promise<void>; close?(): Promise<void> }[] = []
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await (thing.dispose?.() ?? thing.close?.())
})

test('a running validator answers for its embedded history; when it is down the file is read under the lock', async () => {
  const miner = await startFakeMiner({ models: [MODEL] })
  open.push(miner)
  const rig = await createRig([miner], { history: true })
  open.push(rig)
  const { signal } = new AbortController()
  const validator = await rig.start()
  const statusPort = Number(new URL(validator.url).port)
  const wanted = { clock: systemClock, stateDir: rig.deps.stateDir, statusPort, signal }
  await rig.logged((line) => line.msg === 'verdict' && line.verdict === 'verified')
  await rig.logged(({ msg }) => msg === 'history open')
  let running = await readMinersReport({ ...wanted, miner: '1' })
  while (running.miners.length === 0) running = await readMinersReport({ ...wanted, miner: '1' })
  expect(running).toMatchObject({ source: 'validator', miners: [{ uid: 1, models: [{ model: MODEL }] }] })
  // Somebody who looks at the wrong port must not open the database a second time.
  await expect(readMinersReport({ ...wanted, statusPort: 1 })).rejects.toMatchObject({
    code: 'HOTKEY_IN_USE',
  })
  const { verdicts } = await validator.stop()
  const after = await readMinersReport({ ...wanted, miner: '1' })
  expect(after.source).toBe('embedded')
  expect(after.miners[0]?.models[0]?.verdicts.verified).toBe(verdicts.verified)
}, 120_000)
