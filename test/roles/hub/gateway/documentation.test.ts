import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const folder = `${root}src/roles/hub/gateway`

it('docs/hub.md lists every code that users can be sent, and no other', () => {
  const sources = readdirSync(folder).map((name) => readFileSync(`${folder}/${name}`, 'utf8'))
  const sent = sources.flatMap((text) =>
    [...text.matchAll(/(?:code: |\[\s*\d{3},\s*)'([a-z_]+)'/g)].map(([, code]) => code),
  )
  const page = readFileSync(`${root}docs/hub.md`, 'utf8')
  const rows = page.split('\n').filter((line) => /^\| \d{3} \|/.test(line))
  const listed = rows.flatMap((row) => [...row.matchAll(/`([a-z_]+)`(?=[, |])/g)].map(([, code]) => code))
  const codes = listed.filter((code) => code !== 'param')
  expect([...new Set(codes)].sort()).toEqual([...new Set(sent)].sort())
})
