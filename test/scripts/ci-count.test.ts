import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../support/temporary-folder.js'

const script = fileURLToPath(new URL('../../.ci/count.js', import.meta.url))

interface TestResult {
  readonly fullName: string
  readonly status: 'passed' | 'failed'
  readonly failureMessages: readonly string[]
}

/** The lines that are printed for one report of vitest with these tests. */
function linesFor(...tests: readonly TestResult[]): { lines: string[]; status: number | null } {
  const folder = temporaryFolder('ci-count')
  const failed = tests.filter(({ status }) => status === 'failed').length
  const report = {
    ...{ numPassedTests: tests.length - failed, numFailedTests: failed, numPendingTests: 0, numTodoTests: 0 },
    success: failed === 0,
    testResults: [{ name: 'a.test.ts', status: 'passed', message: '', assertionResults: tests }],
  }
  writeFileSync(join(folder, 'unit.json'), JSON.stringify(report))
  const { stdout, status } = spawnSync(process.execPath, [script, folder, '0'], { encoding: 'utf8' })
  return { lines: stdout.trim().split('\n'), status }
}

const passed: TestResult = { fullName: 'adds', status: 'passed', failureMessages: [] }

it('prints each failed test with the first line of its failure, before the closing line', () => {
  const failed: TestResult = {
    ...{ fullName: 'subtracts two', status: 'failed' },
    failureMessages: ['AssertionError: expected 1 to be 2\n    at somewhere'],
  }
  expect(linesFor(passed, failed)).toEqual({
    lines: [
      'unit.json: 1 passed, 1 failed, 0 skipped',
      'failed: unit: subtracts two: AssertionError: expected 1 to be 2',
      '1 passed, 1 failed, 0 skipped',
    ],
    status: 1,
  })
})

it('prints at most 20 failed tests, 300 characters each', () => {
  const failed: TestResult = { fullName: 'x'.repeat(500), status: 'failed', failureMessages: ['y'] }
  const { lines } = linesFor(...Array.from({ length: 23 }, () => failed))
  expect(lines.slice(1, 21)).toEqual(
    Array.from({ length: 20 }, () => `failed: unit: ${'x'.repeat(500)}`.slice(0, 'failed: '.length + 300)),
  )
  expect(lines.slice(21)).toEqual(['failed: 3 more', '0 passed, 23 failed, 0 skipped'])
})

it('counts and names the tests that passed only when they were tried again', () => {
  const retried: TestResult = { fullName: 'flickers', status: 'passed', failureMessages: ['Error: late'] }
  expect(linesFor(passed, retried)).toEqual({
    lines: [
      'unit.json: 2 passed, 0 failed, 0 skipped',
      '1 retried: unit: flickers',
      '2 passed, 0 failed, 0 skipped',
    ],
    status: 0,
  })
})
