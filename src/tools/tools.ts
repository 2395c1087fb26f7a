import type { Tool } from '../core/tool';
import { createSubtasksTool, readMessagesTool, sendMessageTool } from './agentTools';
import { askUserTool } from './askUserTool';
import { bashInputTool, bashOutputTool, bashStopTool } from './backgroundTools';
import { bashTool } from './bashTool';
import { editTool } from './editTool';
import { finishTool } from './finishTool';
import { globTool } from './globTool';
import { grepTool } from './grepTool';
import { readTool } from './readTool';
import { reportProgressTool } from './reportProgressTool';
import { writeTool } from './writeTool';

/** Every tool that an agent can be given. Which it may use is its persona's business. */
export function createTools(): readonly Tool[] {
  return [
    bashTool,
    bashOutputTool,
    bashInputTool,
    bashStopTool,
    readTool,
    writeTool,
    editTool,
    globTool,
    grepTool,
    reportProgressTool,
    askUserTool,
    finishTool,
    sendMessageTool,
    readMessagesTool,
    createSubtasksTool,
  ];
}
