import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { layoutOf, pruneReleases, type UpdateState } from '../../src/autoupdate/index.js'
import { writeState } from '../../src/autoupdate/state.js'
import { linkRelease } from '../../src/autoupdate/switch-release.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const versions = ['1.0.0', '1.1.0', '1.2.0', '1.10.0', '1.11.0', '2.0.0', '2.1.0-rc.1']
const committed = versions.filter((version) => version !== '1.11.0')

async function machine(state: Partial<UpdateState>, current: string) {
  const layout = layoutOf(temporaryFolder('prune'))
  for (const version of versions) {
    mkdirSync(join(layout.releases, version), { recursive: true })
    writeFileSync(join(layout.releases, version, 'COMPLETE'), '')
  }
  mkdirSync(join(layout.releases, 'notes of the operator'))
  const whole = { state: 'committed', highest: '2.1.0-rc.1', committed, bad: ['1.11.0'], ...state }
  await writeState(layout, whole as UpdateState)
  await linkRelease(layout, current)
  return layout
}

it('keeps the current slot, the two newest committed below it, and folders that are not slots', async () => {
  const layout = await machine({}, '2.0.0')
  const removed = await pruneReleases(layout)
  expect(removed.sort()).toEqual(['1.0.0', '1.1.0', '1.11.0', '2.1.0-rc.1'])
  expect(readdirSync(layout.releases).sort()).toEqual(['1.10.0', '1.2.0', '2.0.0', 'notes of the operator'])
})

it('removes nothing while a release is on probation', async () => {
  const state = { state: 'probation', from: '1.2.0', to: '2.0.0', attempts: 1, deadline: null } as const
  const layout = await machine(state, '2.0.0')
  expect(await pruneReleases(layout)).toEqual([])
  expect(readdirSync(layout.releases)).toHaveLength(versions.length + 1)
})
