import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const root = new URL('../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')

/** The files that test each fault. */
const rows = new Map(
  [...faultsOf(read('docs/reliability.md')).matchAll(/^\| (F\d+) \|.*\| (`[^|]+`) \|$/gm)].map(
    ([, fault = '', cell = '']): [string, string[]] => [fault, namesIn(cell)],
  ),
)
const files = readdirSync(new URL('test/gauntlet/', root))
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => name.replace(/\.test\.ts$/, ''))
  .sort()

function namesIn(cell: string): string[] {
  return [...cell.matchAll(/`([\w-]+)`/g)].map(([, name = '']) => name)
}

function faultsOf(page: string): string {
  return page.slice(page.indexOf('## The faults'), page.indexOf('## Run it'))
}

/** Faults that a file counts. */
const countedIn = (file: string) => [
  ...new Set(
    [...read(`test/gauntlet/${file}.test.ts`).matchAll(/fault: '(F\d+)'/g)].map(([, fault]) => fault),
  ),
]

it('docs/reliability.md names every fault once, and the files that test it', () => {
  expect([...rows.keys()]).toEqual(Array.from({ length: rows.size }, (_, index) => `F${index + 1}`))
  expect(rows.size).toBeGreaterThanOrEqual(34)
  expect([...new Set([...rows.values()].flat())].sort()).toEqual(files)
})

it.each(files)('%s counts the faults for which the page names it', (file) => {
  const named = [...rows].filter(([, names]) => names.includes(file)).map(([fault]) => fault)
  expect(countedIn(file).sort()).toEqual(named.sort())
})

it('every random choice of the gauntlet comes from the seed of the run', () => {
  const sources = readdirSync(new URL('test/gauntlet/', root)).filter((name) => name.endsWith('.ts'))
  const unseeded = sources.filter((name) => {
    const text = read(`test/gauntlet/${name}`)
    return (
      /Math\.random/.test(text) || (/fc\.(assert|sample)\(/.test(text) && !/seed: GAUNTLET_SEED/.test(text))
    )
  })
  expect(unseeded).toEqual([])
})
