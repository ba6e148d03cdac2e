// npm run gauntlet:table -- report.json…: writes what the gauntlet did, from JSON reports of vitest, into docs/reliability.md.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { renderResults, report } from './results.js'

const page = new URL('../../docs/reliability.md', import.meta.url)
const paths = process.argv.slice(2)
if (paths.length === 0)
  throw new Error('Name the reports: npm run gauntlet:table -- shard-1.json shard-2.json …')

const reports = paths.map((path) => report.parse(JSON.parse(readFileSync(path, 'utf8'))))
const files = readdirSync(new URL('../../test/gauntlet/', import.meta.url))
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => name.replace(/\.test\.ts$/, ''))
const text = readFileSync(page, 'utf8').replace(
  /(<!-- gauntlet -->\n)[\s\S]*?(<!-- gauntlet stop -->)/,
  (_, start: string, stop: string) => `${start}${renderResults(reports, files)}\n${stop}`,
)
writeFileSync(page, text)
