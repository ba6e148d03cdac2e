#!/usr/bin/env -S node --import tsx
// Runs the commands from src without a build. oclif's own transpiling is off because it does not find tsx's loader.
import './environment.js'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { execute, settings } from '@oclif/core'

const root = fileURLToPath(new URL('..', import.meta.url))
const pjson = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
pjson.oclif.commands = './src/commands'
pjson.oclif.hooks.command_not_found.target = './src/cli/command-not-found'
pjson.oclif.helpClass.target = './src/cli/help'
settings.enableAutoTranspile = false
await execute({ development: true, loadOptions: { root, pjson } })
setTimeout(() => process.exit(), 2000).unref()
