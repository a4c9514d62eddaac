using System.Globalization;

namespace Ash.Runner.Tests.Testing;

/// <summary>Holds a process so that not even SIGKILL ends it, as a disk that does not answer would.</summary>
internal sealed class Freezer : IDisposable
{
    private const string Hierarchy = "/sys/fs/cgroup/freezer";

    private readonly string folder = Directory.CreateDirectory(Path.Combine(Hierarchy, $"rt-{Guid.NewGuid():N}")).FullName;
    private bool isThawed;

    public static bool IsAvailable => File.Exists(Path.Combine(Hierarchy, "cgroup.procs"));

    public void Hold(int pid)
    {
        File.WriteAllText(Path.Combine(folder, "cgroup.procs"), pid.ToString(CultureInfo.InvariantCulture));
        File.WriteAllText(Path.Combine(folder, "freezer.state"), "FROZEN");
        Assert.True(SpinWait.SpinUntil(
            () => File.ReadAllText(Path.Combine(folder, "freezer.state")) == "FROZEN\n", TimeSpan.FromSeconds(10)));
    }

    public void Thaw()
    {
        isThawed = true;
        File.WriteAllText(Path.Combine(folder, "freezer.state"), "THAWED");
    }

    public void Dispose()
    {
        if (!isThawed)
        {
            Thaw();
        }

        // Whom it held is dead or about to be; an ended process leaves by itself.
        Assert.True(SpinWait.SpinUntil(TryRemove, TimeSpan.FromSeconds(10)));
    }

    private bool TryRemove()
    {
        try
        {
            Directory.Delete(folder);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
