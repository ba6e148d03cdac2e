import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const root = new URL('../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')
const LABEL = /\b(?:T-[A-Z]\d{1,2}|F\d{1,2}(?= |:|,|\)|\.))/g

/** Labels in comments and names of tests; `F16: 2` of a table of number formats is none. */
function usedLabels(): Map<string, string> {
  const used = new Map<string, string>()
  for (const folder of ['src', 'test']) {
    const files = readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
    for (const file of files.filter((path) => path.endsWith('.ts'))) {
      for (const line of read(`${folder}/${file}`).split('\n')) {
        const isText = /\/\/|\/?\*\*? |describe\(|\bit\(|\bit\.each|test\(|^\s*['`]/.test(line)
        if (isText) for (const [label] of line.matchAll(LABEL)) used.set(label, `${folder}/${file}`)
      }
    }
  }
  return used
}

it('SECURITY.md and docs/reliability.md say what every label in the source means', () => {
  const pages = read('SECURITY.md') + read('docs/reliability.md')
  const rows = [...pages.matchAll(/^\| (T-\w+|F\d+) \|/gm)].map(([, label = '']) => label)
  const unknown = [...usedLabels()].filter(([label]) => !rows.includes(label))
  expect(rows.length).toBeGreaterThan(40)
  expect(usedLabels().size).toBeGreaterThan(25)
  expect(unknown).toEqual([])
})
