import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const root = new URL('../../', import.meta.url)
const text = readFileSync(new URL('ARCHITECTURE.md', root), 'utf8')
const tree = /```\n(bin\/[\s\S]*?)```/.exec(text)?.[1] ?? ''

/** Names of a folder of src: `x/` for folders, `x.ts` for files other than its door. */
function namesIn(folder: string): string[] {
  return readdirSync(new URL(`src/${folder}`, root), { withFileTypes: true })
    .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
    .filter((name) => name !== 'index.ts')
    .sort()
}

/** Lines of the tree below a heading, up to the next line that is indented less. */
function below(heading: string, indent: number): string {
  const lines = tree.split('\n')
  const from = lines.findIndex((line) => line.trimEnd() === heading || line.startsWith(`${heading} `))
  const rest = lines.slice(from + 1)
  const until = rest.findIndex((line) => line.length - line.trimStart().length < indent)
  return rest.slice(0, until === -1 ? undefined : until).join('\n')
}

it('the tree of ARCHITECTURE.md has every folder of src, every file of the kernel, and nothing else', () => {
  const lines = tree.split('\n')
  const folders = lines.flatMap((line) => /^ {2}([\w-]+\/)(?: |$)/.exec(line)?.[1] ?? [])
  const kernel = /the kernel: ([\s\S]*)$/.exec(tree)?.[1]?.trim().split(/\s+/) ?? []
  expect([...folders, ...kernel].sort()).toEqual(namesIn('.'))
})

it('and every role, with the files roles share', () => {
  const roles = below('  roles/', 4)
  const folders = [...roles.matchAll(/^ {4}([\w-]+\/)/gm)].map(([, name]) => name ?? '')
  const files = [...roles.matchAll(/([\w-]+\.ts)/g)].map(([, name]) => name ?? '')
  expect([...folders, ...files].sort()).toEqual(namesIn('roles'))
})

it('the More of the README links to every page of docs', () => {
  const more = readFileSync(new URL('README.md', root), 'utf8').split('## More')[1] ?? ''
  const pages = readdirSync(new URL('docs', root)).filter((name) => name.endsWith('.md'))
  expect(pages.filter((name) => !more.includes(`(docs/${name})`))).toEqual([])
})
