import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { descriptorLimit, isDescriptorShortage } from '../../src/kernel/descriptors.js'
import { temporaryFolder } from '../support/temporary-folder.js'

describe('descriptorLimit', () => {
  it.skipIf(process.platform !== 'linux')('is the limit of this process', () => {
    const limits = join(temporaryFolder('limits'), 'limits')
    writeFileSync(limits, execFileSync('bash', ['-c', 'ulimit -n 321; cat /proc/self/limits']))
    expect(descriptorLimit(limits)).toBe(321)
    expect(descriptorLimit()).toBeGreaterThan(100)
  })

  it('is unknown where the system does not say', () => {
    expect(descriptorLimit('/nowhere')).toBeUndefined()
  })
})

it.each([
  [Object.assign(new Error('connect EMFILE'), { code: 'EMFILE' }), true],
  [Object.assign(new Error('connect ENFILE'), { code: 'ENFILE' }), true],
  [new AggregateError([new Error('a'), Object.assign(new Error('b'), { code: 'EMFILE' })]), true],
  [Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }), false],
  [new Error('a', { cause: Object.assign(new Error('b'), { code: 'ENFILE' }) }), true],
  [new Error('a', { cause: new Error('b') }), false],
  ['EMFILE', false],
])('isDescriptorShortage of %s: %s', (error, isShort) => {
  expect(isDescriptorShortage(error)).toBe(isShort)
})
