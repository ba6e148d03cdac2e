import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Case, Checker, DataFile } from './checker.js'
import { type FileReport, runFile } from './run-file.js'

/** Checks every data file in $TARGON_CONFORMANCE_DIR and prints a line per file. */

const dir = process.env.TARGON_CONFORMANCE_DIR
if (!dir) {
  console.log('skipped: TARGON_CONFORMANCE_DIR is not set')
  process.exit(0)
}

const checkers = await loadCheckers()
const reports: FileReport[] = []
for (const folder of ['vectors', 'chain']) {
  for (const file of readFolder(join(dir, folder))) reports.push(await runFile(file, checkers))
}
for (const report of reports) printReport(report)
const sum = (pick: (report: FileReport) => number) =>
  reports.reduce((total, report) => total + pick(report), 0)
const failed = sum((report) => report.differing.length)
const broken = reports.filter((report) => report.problem !== undefined).length
console.log(
  `${sum((report) => report.agreed + report.explained)} passed, ${failed + broken} failed, ${sum((report) => report.uncovered)} skipped`,
)
process.exitCode = failed + broken > 0 ? 1 : 0

async function loadCheckers(): Promise<Checker[]> {
  const names = readdirSync(new URL('./checkers/', import.meta.url)).filter((name) => name.endsWith('.ts'))
  const loaded: Checker[] = []
  for (const name of names.sort()) {
    const module = (await import(`./checkers/${name}`)) as { checker?: Checker }
    if (!module.checker) throw new Error(`test/conformance/checkers/${name} exports no checker`)
    loaded.push(module.checker)
  }
  return loaded
}

function* readFolder(folder: string): Generator<DataFile> {
  if (!existsSync(folder)) return
  for (const name of readdirSync(folder).sort()) {
    if (name.endsWith('.md')) continue
    const bytes = readFileSync(join(folder, name))
    let json: Case
    try {
      json = JSON.parse(bytes.toString('utf8'))
    } catch {
      json = undefined
    }
    yield { name, bytes, json }
  }
}

function printReport(report: FileReport): void {
  const { name, ran, agreed, explained } = report
  if (report.problem !== undefined) console.log(`${name}: ${report.problem}`)
  else if (ran === 0) console.log(`${name}: not covered yet (${report.uncovered} cases)`)
  else {
    const byRule = [...report.rules].map(([rule, count]) => `${rule} ${count}`).join(', ')
    const suffix = explained > 0 ? `, ${explained} explained (${byRule})` : ''
    console.log(`${name}: ran ${ran}, agree ${agreed}${suffix}, differ ${report.differing.length}`)
  }
  for (const line of report.differing.slice(0, 10)) console.log(`  DIFFERS ${line}`)
  if (report.differing.length > 10) console.log(`  … and ${report.differing.length - 10} more`)
}
