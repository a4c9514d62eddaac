using System.Text;

namespace Ash.Cli.Servers;

/// <summary>The process of a server.</summary>
internal static class ServerProcess
{
    /// <summary>Whether this process lives and is an Ash server. A pid of old may be anyone's by now.</summary>
    public static bool IsAshServer(int pid)
    {
        if (pid <= 1)
        {
            return false;
        }

        try
        {
            // Empty for a process that has ended and only waits to be collected.
            var arguments = Encoding.UTF8.GetString(File.ReadAllBytes($"/proc/{pid}/cmdline")).Split('\0');

            // The program itself, a script's name behind its interpreter, or an assembly behind dotnet.
            return arguments.Take(3).Any(argument => Path.GetFileName(argument) is "ash-server" or "ash-server.dll");
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
