import semver from 'semver'
import { RAISE_DESCRIPTOR_LIMIT } from '../../kernel/index.js'
import type { Check, MachineContext } from '../context.js'
import { fail, ok, warn } from '../finding.js'

/** As in `engines` of package.json. */
const NODE_RANGE = '>=20.19'
/** A node with 256 callers, their model servers and a chain. */
const FEWEST_DESCRIPTORS = 1024
const USUAL_DESCRIPTORS = 4096

export const nodeCheck: Check<MachineContext> = {
  id: 'node',
  title: 'reading the version of Node.js',
  run: async ({ machine: { nodeVersion } }) => [
    semver.satisfies(nodeVersion, NODE_RANGE, { includePrerelease: true })
      ? ok(`Node.js ${nodeVersion}.`)
      : fail(`Node.js ${nodeVersion} is too old: targon needs 20.19 or newer.`, 'Install a newer Node.js.'),
  ],
}

export const descriptorsCheck: Check<MachineContext> = {
  id: 'descriptors',
  title: 'reading the limit on open files',
  run: async ({ machine }) => {
    const limit = machine.descriptorLimit()
    if (limit === undefined) return [ok('This system sets no limit on open files, or does not tell it.')]
    if (limit >= USUAL_DESCRIPTORS) return [ok(`${limit} open files are allowed.`)]
    const saw = `Only ${limit} open files are allowed; every request takes two or more.`
    return [
      limit < FEWEST_DESCRIPTORS ? fail(saw, RAISE_DESCRIPTOR_LIMIT) : warn(saw, RAISE_DESCRIPTOR_LIMIT),
    ]
  },
}
