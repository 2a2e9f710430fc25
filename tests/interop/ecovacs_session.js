// One session of ecovacs-deebot with one robot.
//
// Gets one argument, a JSON object: account, password, did; "only": "login" ends after that.
// Prints one JSON object on each line: "step" is what was done, "saw" what the library's own
// event said then.  After "leave" it waits for a line of input, when the robot speaks XMPP.
'use strict';

const { EcoVacsAPI } = require('ecovacs-deebot');

const COUNTRY = 'de';
const PATIENCE = 30000;

const options = JSON.parse(process.argv[2]);

function tell(step, saw = null) {
  process.stdout.write(`${JSON.stringify({ step, saw })}\n`);
}

// Does something, and resolves with the first event of that name which is wanted.
function after(bot, name, act, wanted = () => true) {
  return new Promise((resolve, reject) => {
    const seen = [];
    const deadline = setTimeout(
      () => reject(new Error(`no ${name} as wanted, but ${JSON.stringify(seen)}`)),
      PATIENCE,
    );
    bot.on(name, (value) => {
      seen.push(value);
      if (wanted(value)) {
        clearTimeout(deadline);
        resolve(value);
      }
    });
    act();
  });
}

const asked = (bot, command, name, ...args) => after(bot, name, () => bot.run(command, ...args));
const told = (bot, command, name, value) =>
  after(bot, name, () => bot.run(command), (seen) => seen === value);
const idle = () => undefined;

// What both kinds of robots can be asked: [step, command, event].
const QUESTIONS = [
  ['battery', 'GetBatteryState', 'BatteryInfo'],
  ['charge state', 'GetChargeState', 'ChargeState'],
  ['clean state', 'GetCleanState', 'CleanReport'],
  ['clean speed', 'GetCleanSpeed', 'CleanSpeed'],
  ['network', 'GetNetInfo', 'NetworkInfo'],
  ['life span', 'GetLifeSpan', 'LifeSpan'],
  ['clean sum', 'GetCleanSum', 'CleanSum'],
  ['water level', 'GetWaterLevel', 'WaterLevel'],
  ['sleep', 'GetSleepStatus', 'SleepStatus'],
];

// What only those can be asked that speak JSON.
const MORE_QUESTIONS = [
  ['volume', 'GetVolume', 'Volume'],
  ['error', 'GetError', 'LastError'],
  ['map', 'GetMaps', 'CurrentMapName'],
];

async function questions(bot, table) {
  for (const [step, command, name] of table) {
    tell(step, await asked(bot, command, name));
  }
}

// Those that have XMPP tell nothing of where they are, and the library asks them for no sums.
const OLD_QUESTIONS = QUESTIONS.filter(([step]) => step !== 'clean sum' && step !== 'water level');

async function oldJourney(bot) {
  tell('cleaning', await told(bot, 'Clean', 'CleanReport', 'auto'));
  tell('undocked', await after(bot, 'ChargeState', idle, (seen) => seen === 'idle'));
  tell('stopped', await after(bot, 'CleanReport', () => bot.run('Stop'), stopped));
  tell('edge', await told(bot, 'Edge', 'CleanReport', 'edge'));
  tell('stopped again', await after(bot, 'CleanReport', () => bot.run('Stop'), stopped));
  tell('returning', await told(bot, 'Charge', 'ChargeState', 'returning'));
  tell('back', await after(bot, 'ChargeState', idle, (seen) => seen === 'charging'));
}

// The robot is gone by the time there is a line to read.
async function farewell(bot) {
  tell('leave');
  await new Promise((resolve) => process.stdin.once('data', resolve));
  const missed = ({ code }) => code === '404';
  tell('gone', await after(bot, 'LastError', () => bot.run('GetBatteryState'), missed));
}

async function changes(bot) {
  bot.run('SetCleanSpeed', 3);
  tell('set clean speed', await until(bot, 'GetCleanSpeed', 'CleanSpeed', 3));
  bot.run('SetWaterLevel', 3);
  tell('set water level', await until(bot, 'GetWaterLevel', 'WaterLevel', 3));
}

// Asks again and again: nothing tells when a setting has reached the robot.
async function until(bot, command, name, value) {
  const deadline = Date.now() + PATIENCE;
  let seen = await asked(bot, command, name);
  while (seen !== value && Date.now() < deadline) {
    seen = await asked(bot, command, name);
  }
  return seen;
}

// The events of a cleaning are pushed: the answers to these commands carry none of them.
async function journey(bot) {
  tell('cleaning', await told(bot, 'Clean', 'CleanReport', 'auto'));
  tell('pushed position', await after(bot, 'Position', idle, ({ x }) => Number(x) !== 0));
  tell('paused', await told(bot, 'Pause', 'CleanReport', 'pause'));
  tell('resumed', await told(bot, 'Resume', 'CleanReport', 'auto'));
  tell('stopped', await after(bot, 'CleanReport', () => bot.run('Stop'), stopped));
  tell('returning', await told(bot, 'Charge', 'ChargeState', 'returning'));
  tell('back', await after(bot, 'ChargeState', idle, (seen) => seen === 'charging'));
  tell('clean log', await asked(bot, 'GetCleanLogs', 'CleanLog'));
}

// Robots that speak JSON are idle then, the others say that they have stopped.
function stopped(report) {
  return report === 'idle' || report === 'stop';
}

async function connected() {
  const api = new EcoVacsAPI(EcoVacsAPI.getDeviceId('bumper-tw-interop'), COUNTRY);
  await api.connect(options.account, EcoVacsAPI.md5(options.password));
  tell('login', api.uid);
  return api;
}

async function robot(api) {
  const devices = await api.devices();
  tell('devices', devices.map((device) => device.did));
  const mine = devices.find((device) => device.did === options.did);
  return api.getVacBot(api.uid, EcoVacsAPI.REALM, api.resource, api.user_access_token, mine);
}

async function converse(api) {
  const bot = await robot(api);
  tell('ready', await after(bot, 'ready', () => bot.connect()));
  tell('protocol', bot.getProtocol());
  if (bot.getProtocol() === 'XMPP') {
    await questions(bot, OLD_QUESTIONS);
    await oldJourney(bot);
    await farewell(bot);
    await bot.disconnectAsync();
    return;
  }
  await questions(bot, QUESTIONS);
  if (bot.is950type()) {
    await questions(bot, MORE_QUESTIONS);
  }
  await changes(bot);
  await journey(bot);
  await bot.disconnectAsync();
}

async function main() {
  let api;
  try {
    api = await connected();
  } catch (refused) {
    tell('refused', refused.message);
    return;
  }
  if (options.only !== 'login') {
    await converse(api);
  }
  tell('done');
}

main().then(
  () => process.exit(0),
  (error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exit(1);
  },
);
