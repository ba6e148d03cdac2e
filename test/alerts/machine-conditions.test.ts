import { expect, it } from 'vitest'
import { machineConditions } from '../../src/alerts/index.js'
import { ManualClock } from '../support/manual-clock.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const { signal } = new AbortController()
const GIB = 1 << 30

function conditionsWith(disk: { free: number; size: number }) {
  const clock = new ManualClock()
  let lost = 0
  const conditions = machineConditions({
    ...{ clock, stateDir: '/state', droppedLines: () => lost },
    diskOf: async () => disk,
  })
  const look = async (id: string) => conditions.find((one) => one.id === id)?.look(signal)
  const lose = (lines: number) => {
    lost += lines
  }
  return { clock, look, lose }
}

it('tells a disk that is nearly full, by the lesser of 1 GiB and 3 %', async () => {
  const disk = { free: 100 * GIB, size: 1000 * GIB }
  const { look } = conditionsWith(disk)
  expect(await look('disk-nearly-full')).toEqual([])
  disk.free = 2 * GIB
  expect(await look('disk-nearly-full')).toEqual([])
  disk.free = GIB / 2
  expect(await look('disk-nearly-full')).toMatchObject([
    { sentence: 'Only 512 MiB are free on the disk of /state.' },
  ])
  disk.size = 10 * GIB
  expect(await look('disk-nearly-full')).toEqual([])
})

it('reads the disk of a real folder', async () => {
  const [disk] = machineConditions({
    clock: new ManualClock(),
    stateDir: temporaryFolder('disk'),
    droppedLines: () => 0,
  })
  expect(await disk?.look(signal)).toBeInstanceOf(Array)
})

it('tells log lines that are lost, until none has been lost for five minutes', async () => {
  const { clock, look, lose } = conditionsWith({ free: GIB, size: GIB })
  expect(await look('log-dropping')).toEqual([])
  lose(3)
  expect(await look('log-dropping')).toHaveLength(1)
  await clock.advance(299_000)
  expect(await look('log-dropping')).toHaveLength(1)
  await clock.advance(2000)
  expect(await look('log-dropping')).toEqual([])
})
