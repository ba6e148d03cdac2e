// Adds up the reports of all test runners and prints the closing line. Arguments: report folder, number of failed steps.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Of the failures that are printed, so that the end of a log says what failed. */
const MOST_FAILURES = 20
const MOST_CHARACTERS = 300

const [folder, failedSteps] = process.argv.slice(2)
const sum = { passed: 0, failed: 0, skipped: 0 }
const retried = []
const failures = []
for (const name of readdirSync(folder).sort()) {
  const text = readFileSync(join(folder, name), 'utf8')
  const report = name.endsWith('.json') ? JSON.parse(text) : undefined
  const row = report ? fromVitest(report) : fromClosingLine(text)
  if (report) retried.push(...retriedIn(report).map((test) => `${name.replace(/\.json$/, '')}: ${test}`))
  if (report)
    failures.push(...failuresIn(report).map((failure) => `${name.replace(/\.json$/, '')}: ${failure}`))
  console.log(`${name}: ${row.passed} passed, ${row.failed} failed, ${row.skipped} skipped`)
  for (const key of Object.keys(sum)) sum[key] += row[key]
}
if (Number(failedSteps) > 0) console.log(`failed steps: ${failedSteps}`)
if (retried.length > 0) console.log(`${retried.length} retried: ${retried.join('; ')}`)
for (const failure of failures.slice(0, MOST_FAILURES))
  console.log(`failed: ${failure.slice(0, MOST_CHARACTERS)}`)
if (failures.length > MOST_FAILURES) console.log(`failed: ${failures.length - MOST_FAILURES} more`)
// a step that fails without a failing test (lint, types, packaging, a crashed runner) must count as well
const failed = Math.max(sum.failed, Number(failedSteps))
console.log(`${sum.passed} passed, ${failed} failed, ${sum.skipped} skipped`)
process.exit(failed > 0 || sum.passed === 0 ? 1 : 0)

function fromVitest(report) {
  return {
    passed: report.numPassedTests,
    failed: Math.max(report.numFailedTests, report.success ? 0 : 1),
    skipped: report.numPendingTests + report.numTodoTests,
  }
}

/** A test that passed and still has messages of failures failed before vitest tried it once more. */
function retriedIn(report) {
  return report.testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status, failureMessages }) => status === 'passed' && failureMessages.length > 0)
    .map(({ fullName }) => fullName)
}

/** Full name and first line of the failure of each failed test, and of files that could not be run. */
function failuresIn(report) {
  return report.testResults.flatMap(({ name, status, message, assertionResults }) => {
    const tests = assertionResults.filter((test) => test.status === 'failed')
    if (tests.length === 0 && status === 'failed') return [`${name}: ${firstLine(message)}`]
    return tests.map(({ fullName, failureMessages }) => `${fullName}: ${firstLine(failureMessages[0])}`)
  })
}

function firstLine(text) {
  return (text ?? '').trim().split('\n')[0]
}

function fromClosingLine(text) {
  const match = /(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\s*$/.exec(text)
  if (!match) return { passed: 0, failed: /skipped\s*$/.test(text) ? 0 : 1, skipped: 0 }
  return { passed: Number(match[1]), failed: Number(match[2]), skipped: Number(match[3] ?? 0) }
}
