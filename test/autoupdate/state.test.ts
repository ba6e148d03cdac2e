import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { layoutOf } from '../../src/autoupdate/index.js'
import { FIRST_STATE, readState, type UpdateState, writeState } from '../../src/autoupdate/state.js'
import { beginProbation, confirmRelease, markBad, rollBackTo } from '../../src/autoupdate/switch-release.js'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'update-state-'))
})
afterEach(() => rm(root, { recursive: true }))

const VERSIONS = ['4.5.0', '4.5.1', '4.6.0-rc.1', '5.0.0']
const version = fc.constantFrom(...VERSIONS)
const versions = fc.uniqueArray(version)

/** Every shape that a node or the launcher writes. */
const anyState: fc.Arbitrary<UpdateState> = fc.oneof(
  fc.record({
    state: fc.constant('committed' as const),
    highest: version,
    committed: versions,
    bad: versions,
  }),
  fc.record({
    state: fc.constant('probation' as const),
    highest: version,
    committed: versions,
    bad: versions,
    from: fc.option(version),
    to: version,
    attempts: fc.nat({ max: 3 }),
    deadline: fc.option(fc.nat({ max: Number.MAX_SAFE_INTEGER })),
  }),
)

describe('the update state across restarts', () => {
  it('is what was written, whatever the order of its members', async () => {
    const layout = layoutOf(root)
    await fc.assert(
      fc.asyncProperty(anyState, fc.func(fc.nat()), async (state, order) => {
        await writeState(layout, state)
        expect(await readState(layout)).toEqual(state)
        // The launcher writes the file too, with members in an order of its own.
        const members = Object.entries(state).sort(([a], [b]) => order(a) - order(b))
        await writeFile(layout.state, `${JSON.stringify(Object.fromEntries(members))}\n`)
        expect(await readState(layout)).toEqual(state)
      }),
    )
  })

  it('can be read after every step of an update, in any order of steps', async () => {
    const layout = layoutOf(root)
    const steps = { begin: beginProbation, confirm: confirmRelease, bad: markBad, back: rollBackTo }
    const step = fc.tuple(fc.constantFrom(...(Object.keys(steps) as (keyof typeof steps)[])), version)
    for (const one of VERSIONS) {
      await mkdir(join(layout.releases, one), { recursive: true })
      await writeFile(join(layout.releases, one, 'COMPLETE'), one)
    }
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (taken) => {
        await rm(layout.state, { force: true })
        await rm(layout.current, { force: true })
        expect(await readState(layout)).toEqual(FIRST_STATE)
        await symlink(join('releases', '4.5.0'), layout.current)
        for (const [name, to] of taken) {
          await steps[name](layout, to)
          const before = await readFile(layout.state, 'utf8').catch(() => undefined)
          const state = await readState(layout)
          if (before !== undefined) await writeState(layout, state)
          expect(await readState(layout)).toEqual(state)
        }
      }),
      { numRuns: 50 },
    )
  })

  it.each(['', '{', '[]', '{"state":"committed"}', '{"state":"later"}'])(
    'is reported as damaged when it is %j',
    async (text) => {
      const layout = layoutOf(root)
      await writeFile(layout.state, text)
      await expect(readState(layout)).rejects.toMatchObject({ code: 'UPDATE_STATE_DAMAGED', fault: 'update' })
    },
  )
})
