using Ash.Cli.Tests;
using Ash.Cli.Tests.Servers;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

// `ash start` starts a program of this name; the tests let it be this one.
if (args is [var program, .. var rest] && Path.GetFileName(program) == "ash-server")
{
    return await StandInServer.RunAsync(rest);
}

return args.Any(argument => argument is "-automated" or "@@")
    ? await ConsoleRunner.Run(args)
    : await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions);
