using System.Diagnostics;

namespace Ash.Bridge.Tests.Sandboxes;

/// <summary>The bridge as it is shipped: published as a native program, again only where its sources are newer.</summary>
public sealed class PublishedBridge : IAsyncLifetime
{
    private static readonly string Root = FindRoot();

    public string Path { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        if (Environment.GetEnvironmentVariable("ASH_BRIDGE_ENTRY") is { Length: > 0 } given)
        {
            Path = given;
            return;
        }

        var folder = System.IO.Path.Combine(Root, "artifacts", "publish", "ash-bridge");
        Path = System.IO.Path.Combine(folder, "ash-bridge");
        if (!File.Exists(Path) || File.GetLastWriteTimeUtc(Path) < NewestSource())
        {
            await PublishAsync(folder);
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static async Task PublishAsync(string folder)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            ArgumentList =
            {
                "publish", "src/Ash.Bridge", "-c", "Release", "-o", folder, "-v", "q", "--nologo",
                "-p:UseSharedCompilation=false",
            },
            WorkingDirectory = Root,
            RedirectStandardOutput = true,
            Environment = { ["MSBUILDDISABLENODEREUSE"] = "1" },
        };
        using var publish = Process.Start(start) ?? throw new InvalidOperationException("dotnet did not start.");
        var output = await publish.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await publish.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(publish.ExitCode == 0, output);
    }

    private static DateTime NewestSource() =>
        new[] { "Ash.Bridge", "Ash.Protocol" }
            .SelectMany(project => new DirectoryInfo(System.IO.Path.Combine(Root, "src", project)).EnumerateFiles("*", SearchOption.AllDirectories))
            .Where(file => file.Extension is ".cs" or ".csproj")
            .Max(file => file.LastWriteTimeUtc);

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(System.IO.Path.Combine(folder.FullName, "Ash.slnx")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("The tests do not run inside the repository.");
    }
}
