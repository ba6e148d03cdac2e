import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const root = new URL('../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')
const page = read('ARCHITECTURE.md')
const map = /```\n(bin\/[\s\S]*?)```/.exec(page)?.[1] ?? ''

function foldersIn(path: string): string[] {
  return readdirSync(new URL(path, root), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort()
}

/** Names at the start of the lines that are indented by this much. */
function namesAt(text: string, indent: number): string[] {
  const names = new RegExp(`^ {${indent}}([\\w-]+)/(?: |$)`, 'gm')
  return [...text.matchAll(names)].map(([, name]) => name ?? '').sort()
}

/** Rooms in the line of one folder: `admission/ who may call · serving/ …`. */
function roomsOf(folder: string): string[] {
  const line = new RegExp(`^ +${folder}/ (.*)$`, 'm').exec(map)?.[1] ?? ''
  return [...line.matchAll(/([\w-]+)\/(?= |$)/g)].map(([, name]) => name ?? '').sort()
}

it('the map lists every folder of src and nothing else', () => {
  expect(namesAt(map, 2)).toEqual(foldersIn('src'))
})

it('the map lists every role', () => {
  expect(namesAt(map, 4)).toEqual(foldersIn('src/roles'))
})

it.each([
  ['miner', 'src/roles/miner'],
  ['validator', 'src/roles/validator'],
  ['localnet', 'src/localnet'],
])('the map lists the rooms of %s', (folder, path) => {
  expect(roomsOf(folder)).toEqual(foldersIn(path))
})

it('every file the page names exists', () => {
  const named = [...page.matchAll(/`((?:roles|epistula|verification)\/[\w./-]+\.ts)`/g)].map(
    ([, path]) => path ?? '',
  )
  expect(named.length).toBeGreaterThan(1)
  for (const path of named) expect(read(`src/${path}`)).not.toBe('')
})

it('the glossary has at most forty lines', () => {
  const glossary = page.slice(page.indexOf('## Glossary'))
  expect(glossary.trimEnd().split('\n').length).toBeLessThanOrEqual(40)
})

it('the README links to every page of docs', () => {
  const readme = read('README.md')
  const pages = readdirSync(new URL('docs', root)).filter((name) => name.endsWith('.md'))
  expect(pages.filter((name) => !readme.includes(`(docs/${name})`))).toEqual([])
})
