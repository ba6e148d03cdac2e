import { BlockTimes } from './block-times.js'
import { followLive } from './connection.js'
import { DataTable } from './data-table.js'
import { readDocument } from './documents.js'
import { byId, setAttribute, setText } from './elements.js'
import { Figures } from './figures.js'
import { causes, count, fixed, percent, shortKey, total } from './formats.js'
import type { LocalMiner, LocalnetDocument } from './localnet-documents.js'

const figures = new Figures(byId('figures'))
const blockTimes = new BlockTimes()
const miners = new DataTable<LocalMiner>(byId('miners-table'), {
  caption: 'Miners by weight',
  columns: [
    { name: 'uid', isNumber: true, text: ({ uid }) => String(uid), order: ({ uid }) => uid },
    { name: 'page', text: ({ name }) => name, href: ({ page }) => page ?? '#', order: ({ name }) => name },
    {
      ...{ name: 'behaviour', text: ({ behaviour }) => behaviour, order: ({ behaviour }) => behaviour },
      tone: ({ behaviour }) => (behaviour === 'honest' ? undefined : 'bad'),
    },
    {
      ...{ name: 'verified', isNumber: true, title: ({ failed }) => causes(failed) || undefined },
      text: ({ verified, failed }) =>
        `${percent(verified, verified + total(failed))} of ${verified + total(failed)}`,
      order: ({ verified, failed }) => verified / Math.max(1, verified + total(failed)),
    },
    {
      ...{ name: 'tokens/s', isNumber: true, text: (one) => fixed(one.tokensPerSecond, 1) },
      order: ({ tokensPerSecond }) => tokensPerSecond,
    },
    { name: 'score', isNumber: true, text: ({ score }) => fixed(score, 3), order: ({ score }) => score },
    {
      ...{ name: 'evidence', text: ({ evidence }) => evidence, title: (one) => one.accusation ?? undefined },
      tone: ({ evidence }) => (evidence === 'clean' ? undefined : 'bad'),
    },
    {
      ...{ name: 'weight on chain', isNumber: true, text: ({ weightU16 }) => count(weightU16) },
      order: ({ weightU16 }) => weightU16,
    },
    { name: 'models', text: ({ models }) => models.join(', ') },
    { name: 'hotkey', text: ({ hotkey }) => shortKey(hotkey), title: ({ hotkey }) => hotkey },
  ],
  keyOf: ({ hotkey }) => hotkey,
  sort: { column: 'weight on chain', isAscending: false },
  empty: 'The miners are starting.',
})

followLive(({ status }) => {
  const document = readDocument<LocalnetDocument>(status)
  if (!document) return
  const { block, epochBlocksLeft, epochs, validator, chainUrl } = document
  blockTimes.note(block, performance.now())
  figures.update([
    { name: 'block', value: count(block) },
    { name: 'next weights in', value: epochBlocksLeft === null ? '–' : blockTimes.describe(epochBlocksLeft) },
    { name: 'epochs with weights', value: count(epochs) },
    { name: 'rounds', value: count(validator.rounds) },
    { name: 'chain', value: chainUrl },
  ])
  const link = byId('validator-link')
  setAttribute(link, 'href', validator.page ?? '#now-title')
  setText(link, validator.page === null ? 'The validator is starting.' : `Validator at ${validator.page}`)
  const { hub } = document
  byId('hub').hidden = hub === null
  if (hub) {
    setAttribute(byId('hub-link'), 'href', hub.page)
    setText(byId('hub-link'), `Hub at ${hub.page}, its API at ${hub.url}`)
  }
  miners.update(document.miners)
}, byId('connection'))
