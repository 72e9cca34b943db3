<?php

declare(strict_types=1);

namespace Ketama;

/** Why a call failed: the native library's `ketama_status`. */
enum Status: int
{
    case NullArgument = 1;
    case UnknownDialect = 2;
    case NoServers = 3;
    case EmptyName = 4;
    case LongName = 5;
    case ZeroWeight = 6;
    case WeightSum = 7;
    case TooManyPoints = 8;
    case OutOfMemory = 9;
    case InternalError = 10;
    case NoPoints = 11;
    case InvalidRules = 12;
    case UnknownServer = 13;
    case DifferentHashes = 14;
    case Unreadable = 15;
    case Syntax = 16;
    case Offsets = 17;
    case OutOfRange = 18;
}
