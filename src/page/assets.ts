import { existsSync, readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { type PageRole, renderPage } from './skeleton.js'

export interface Asset {
  readonly type: string
  read(): Promise<Buffer>
}

const TYPES = { html: 'text/html', css: 'text/css', js: 'text/javascript' } as const

/** The files of a page by path. No other file can be reached. */
export function listAssets(role: PageRole): ReadonlyMap<string, Asset> {
  const find = createRequire(import.meta.url).resolve
  const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))
  return new Map<string, Asset>([
    ['/', htmlAsset(role, here('assets/page.html'), here(`assets/${role}.html`))],
    ['/page/page.css', fileAsset('css', here('assets/page.css'))],
    ['/page/uplot.css', fileAsset('css', find('uplot/dist/uPlot.min.css'))],
    ['/page/uplot.js', fileAsset('js', find('uplot/dist/uPlot.iife.min.js'))],
    ...listScripts(role),
  ])
}

/** Folders follow those of the source, because the scripts import each other. */
function listScripts(role: PageRole): (readonly [string, Asset])[] {
  const folder = scriptFolder()
  const names = existsSync(`${folder}browser`) ? readdirSync(`${folder}browser`) : []
  const scripts = names.filter((name) => name.endsWith('.js')).map((name) => `browser/${name}`)
  // The entry is listed even where it is not built, so that asking for it says what to do.
  return [...new Set([`browser/${role}.js`, 'document-change.js', ...scripts])].map(
    (name) => [`/page/${name}`, fileAsset('js', `${folder}${name}`)] as const,
  )
}

/** Beside this file in a build; a checkout that runs from its source uses the scripts of the last build. */
function scriptFolder(): string {
  const isBuilt = import.meta.url.endsWith('.js')
  return fileURLToPath(new URL(isBuilt ? './' : '../../dist/page/', import.meta.url))
}

function htmlAsset(role: PageRole, frame: string, sections: string): Asset {
  const read = async () => {
    const texts = await Promise.all([frame, sections].map((path) => readFile(path, 'utf8')))
    return Buffer.from(renderPage(role, texts[0] ?? '', texts[1] ?? ''))
  }
  return { type: typeOf('html'), read }
}

function fileAsset(kind: keyof typeof TYPES, path: string): Asset {
  return { type: typeOf(kind), read: () => readFile(path) }
}

function typeOf(kind: keyof typeof TYPES): string {
  return `${TYPES[kind]}; charset=utf-8`
}
