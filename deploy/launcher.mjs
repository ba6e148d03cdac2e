#!/usr/bin/env node
// Starts the current release and supervises its trial; its arguments are those of targon. Never updates itself: a release
// that dies on import cannot roll itself back. Runs from a checkout's deploy/ (which itself runs until there is a
// release) or from its copy beside `current`, `releases/` and `update.json`.
import { spawn } from 'node:child_process'
import * as fs from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const own = dirname(fileURLToPath(import.meta.url))
const isCheckout = basename(own) === 'deploy' && fs.existsSync(join(own, '..', 'bin', 'run.js'))
const named = (process.env.TARGON_UPDATE_ROOT || '~/.targon').replace(/^~(?=\/|$)/, homedir())
const root = isCheckout ? resolve(named) : own
const at = (...names) => join(root, ...names)
const say = (text) => console.error(`launcher: ${text}`)
const MAX_ATTEMPTS = 3
const TRIAL_MS = 15 * 60_000
const SOON_MS = 60_000
const WATCH_MS = 200
const SETTLE_MS = 100
const RESTART_WANTED = 75
const NOTHING_STARTS = 78
const SIGNALS = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }
let child
let stopping = false
let wentBackAt

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) {
  process.on(signal, () => {
    if (signal !== 'SIGHUP') stopping = true
    child?.kill(signal)
  })
}
// what pm2 loads into this process would keep it alive
process.exit(await launch())

async function launch() {
  for (;;) {
    let state = settle(readState())
    const script = programOf(currentVersion())
    if (!script) {
      say(`no complete release to start (current: ${currentVersion() ?? 'none'}); run targon update`)
      return NOTHING_STARTS
    }
    if (state.state === 'probation') {
      const deadline = state.deadline ?? Date.now() + TRIAL_MS
      state = writeState({ ...state, attempts: state.attempts + 1, deadline })
    }
    const code = await run(script, state.deadline)
    if (stopping) return code
    if (code === RESTART_WANTED || readState().state === 'probation') continue
    if (code !== 0 && wentBackAt && Date.now() - wentBackAt < SOON_MS) {
      say(`the release gone back to fails as well (status ${code}); look at its log`)
      return NOTHING_STARTS
    }
    return code
  }
}

/** Finishes a switch that was cut off; ends a trial that failed. */
function settle(state) {
  if (state.state !== 'probation') return state
  const isInTime = state.attempts < MAX_ATTEMPTS && Date.now() <= (state.deadline ?? Infinity)
  if (isInTime && fs.existsSync(at('releases', state.to, 'COMPLETE'))) {
    if (state.attempts === 0 && currentVersion() !== state.to) link(state.to)
    return state
  }
  const { highest, committed, from, to } = state
  if (from) link(from)
  else fs.rmSync(at('current'), { force: true })
  wentBackAt = Date.now()
  const committedAgain = { state: 'committed', highest, committed, bad: [...new Set([...state.bad, to])] }
  writeState(committedAgain)
  say(`release ${to} did not prove healthy, back to ${from ?? (isCheckout ? 'the checkout' : 'nothing')}`)
  return committedAgain
}

function programOf(version) {
  if (version)
    return fs.existsSync(at('releases', version, 'COMPLETE')) && at('releases', version, 'bin', 'run.js')
  return isCheckout && join(own, '..', 'bin', 'run.js')
}

/** Runs a program to its end; one on trial is killed when its deadline passes. @returns its exit status. */
function run(script, deadline) {
  return new Promise((resolve) => {
    if (stopping) return resolve(0)
    child = spawn(process.execPath, [script, ...process.argv.slice(2)], {
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, TARGON_UPDATE_ROOT: root, TARGON_LAUNCHED: 'true' },
    })
    child.on('message', (message) => process.send?.(message))
    const watch = setInterval(() => {
      if (deadline && Date.now() > deadline && readState().state === 'probation') child.kill('SIGKILL')
    }, WATCH_MS)
    // who signals a whole tree of processes reaches this one a little later
    const end = (code) => {
      clearInterval(watch)
      setTimeout(resolve, SETTLE_MS, code)
    }
    child.once('error', () => end(1))
    child.once('exit', (code, signal) => end(code ?? 128 + (SIGNALS[signal] ?? 0)))
  })
}

function readState() {
  if (!fs.existsSync(at('update.json')))
    return { state: 'committed', highest: '0.0.0', committed: [], bad: [] }
  try {
    return JSON.parse(fs.readFileSync(at('update.json'), 'utf8')) ?? {}
  } catch (error) {
    say(`update.json cannot be read (${error.message}): the current release starts without a trial`)
    return { state: 'unreadable' }
  }
}

function writeState(state) {
  fs.writeFileSync(at('update.json.tmp'), `${JSON.stringify(state)}\n`, { mode: 0o600, flush: true })
  fs.renameSync(at('update.json.tmp'), at('update.json'))
  return state
}

function currentVersion() {
  return fs.lstatSync(at('current'), { throwIfNoEntry: false }) && basename(fs.readlinkSync(at('current')))
}

function link(version) {
  fs.rmSync(at('current.tmp'), { force: true })
  fs.symlinkSync(join('releases', version), at('current.tmp'))
  fs.renameSync(at('current.tmp'), at('current'))
}
