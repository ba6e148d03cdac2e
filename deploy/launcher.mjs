#!/usr/bin/env node
// Starts the current release and supervises its trial; its arguments are those of targon. Never updates itself: a release
// that dies on import cannot roll itself back. Runs from a checkout's deploy/ (which itself runs until there is a
// release) or from its copy beside `current`, `releases/` and `update.json`.
import { spawn } from 'node:child_process'
import * as fs from 'node:fs'
import { constants, homedir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const own = dirname(fileURLToPath(import.meta.url))
const isCheckout = basename(own) === 'deploy' && fs.existsSync(join(own, '..', 'bin', 'run.js'))
const named = (process.env.TARGON_UPDATE_ROOT || '~/.targon').replace(/^~(?=\/|$)/, homedir())
const root = isCheckout ? resolve(named) : own
const at = (...names) => join(root, ...names)
const say = (text) => console.error(`launcher: ${text}`)

const MAX_ATTEMPTS = 3
const TRIAL_MS = Number(process.env.TARGON_TEST_TRIAL_MS ?? 15 * 60_000)
// between the starts of a release on trial; the last one stays
const PAUSES = [1, 5, 25]
const PAUSE_UNIT_MS = Number(process.env.TARGON_TEST_PAUSE_MS ?? 1000)
const WATCH_MS = 200
const SETTLE_MS = 100
// a release gone back to that fails within this time: nothing starts, or something else is wrong
const SOON_MS = 60_000
// a role waits five minutes for its chain before it ends for that
const SAME_FAULT_MS = 10 * 60_000
const RESTART_WANTED = 75
const NOTHING_STARTS = 78
// chain, model server, hotkey in use, chain unreachable: no attempt, since it passes or another release meets it as well
const MAY_PASS = new Set([3, 4, 7, 69])
// settings, too: this release may refuse what another takes, so it is left, but not blamed if that one ends the same way
const SURROUNDINGS = new Set([2, ...MAY_PASS])

let child
/** The run was killed at the deadline of its trial. */
let wasCut = false
let stopping = false
let wake = () => {}
/** The trial that ended in this life of the launcher: version, last status, when. */
let left

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) {
  process.on(signal, () => {
    if (signal !== 'SIGHUP') stopping = true
    child?.kill(signal)
    if (stopping) wake()
  })
}
// what pm2 loads into this process would keep it alive
process.exit(await launch())

async function launch() {
  let status = 0
  let pauses = [...PAUSES]
  for (;;) {
    const state = settle(readState(), status)
    const version = currentVersion()
    const script = programOf(version)
    if (!script) {
      say(`no complete release to start (current: ${version ?? 'none'}); run targon update`)
      return NOTHING_STARTS
    }
    if (isTrialOf(state, version)) {
      const deadline = state.deadline ?? Date.now() + TRIAL_MS
      writeState({ ...state, attempts: state.attempts + 1, deadline })
    } else pauses = [...PAUSES]
    const { code, renewed } = await run(script, version, isTrialOf(state, version))
    // one killed while it waits once more for what was not there ends as it did before
    if (!wasCut || !MAY_PASS.has(status)) status = code
    const after = readState()
    if (!isTrialOf(after, version)) {
      // another one may have been put on trial meanwhile; that is no blame, nor a pardon, for either
      if (stopping) return status
      if (status !== RESTART_WANTED) return failureOf(status)
      pauses = [...PAUSES]
      continue
    }
    const trial = { ...after, deadline: Math.max(after.deadline ?? Date.now() + TRIAL_MS, renewed) }
    if (stopping || MAY_PASS.has(status)) trial.attempts--
    // one that ends well when told to is well: its time counts from its next start
    if (stopping && status === 0) trial.deadline = null
    writeState(trial)
    if (stopping) return status
    if (status === RESTART_WANTED) continue
    if (!isOver(trial)) await pause(pauses.length > 1 ? pauses.shift() : pauses[0], trial.deadline)
    if (stopping) return status
  }
}

/** What a release that is not on trial ended with, as the supervisor is told. */
function failureOf(status) {
  if (!left || status === 0) return status
  const sinceMs = Date.now() - left.at
  if (SURROUNDINGS.has(status) && status === left.status && sinceMs < SAME_FAULT_MS) {
    const state = readState()
    writeState({ ...state, bad: state.bad.filter((version) => version !== left.version) })
    say(`the release gone back to ends like ${left.version} (status ${status}): it was not its fault`)
    return status
  }
  if (sinceMs >= SOON_MS) return status
  say(`the release gone back to fails as well (status ${status}); look at its log`)
  return NOTHING_STARTS
}

/** Finishes a switch that was cut off; ends a trial that failed, the last time with this status. */
function settle(state, status) {
  if (state.state !== 'probation') return state
  if (!isOver(state)) {
    if (state.attempts === 0 && currentVersion() !== state.to) link(state.to)
    return state
  }
  const { highest, committed, from, to } = state
  if (from) link(from)
  else fs.rmSync(at('current'), { force: true })
  left = { version: to, status, at: Date.now() }
  const settled = { state: 'committed', highest, committed, bad: [...new Set([...state.bad, to])] }
  writeState(settled)
  say(`release ${to} did not prove healthy, back to ${from ?? (isCheckout ? 'the checkout' : 'nothing')}`)
  return settled
}

function isOver({ attempts, deadline, to }) {
  if (attempts >= MAX_ATTEMPTS || Date.now() > (deadline ?? Infinity)) return true
  return !fs.existsSync(at('releases', to, 'COMPLETE'))
}

/** Waits some units, not beyond the deadline; a signal ends it. */
function pause(units, deadline) {
  const ms = Math.max(0, Math.min(units * PAUSE_UNIT_MS, deadline - Date.now() + 1))
  return new Promise((resolve) => {
    wake = resolve
    setTimeout(resolve, ms)
  })
}

function isTrialOf(state, version) {
  return state.state === 'probation' && state.to === version
}

function programOf(version) {
  if (version)
    return fs.existsSync(at('releases', version, 'COMPLETE')) && at('releases', version, 'bin', 'run.js')
  return isCheckout && join(own, '..', 'bin', 'run.js')
}

/**
 * Runs a program to its end; one on trial is killed when its deadline passes. The state is its own to write meanwhile.
 *
 * @returns its exit status, and the deadline counted from its readiness (0 when it never was ready): what a neuron does
 *   before it serves (a model is loaded, say) is not held against it.
 */
function run(script, version, onTrial) {
  return new Promise((resolve) => {
    wasCut = false
    let renewed = 0
    if (stopping) return resolve({ code: 0, renewed })
    child = spawn(process.execPath, [script, ...process.argv.slice(2)], {
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, TARGON_UPDATE_ROOT: root, TARGON_LAUNCHED: 'true' },
    })
    child.on('message', (message) => {
      if (onTrial && message === 'ready') renewed = Date.now() + TRIAL_MS
      process.send?.(message, () => {})
    })
    const look = () => {
      const state = readState()
      if (!isTrialOf(state, version) || Date.now() <= Math.max(state.deadline ?? Infinity, renewed)) return
      wasCut = true
      child.kill('SIGKILL')
    }
    const watch = onTrial && setInterval(look, WATCH_MS)
    // who signals a whole tree of processes reaches this one a little later
    const end = (code) => {
      clearInterval(watch)
      setTimeout(resolve, SETTLE_MS, { code, renewed })
    }
    child.once('error', () => end(1))
    child.once('exit', (code, signal) => end(code ?? 128 + constants.signals[signal]))
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
