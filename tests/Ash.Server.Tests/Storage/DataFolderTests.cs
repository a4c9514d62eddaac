using Ash.Server.Storage;

namespace Ash.Server.Tests.Storage;

public sealed class DataFolderTests : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private readonly string _parent = Directory.CreateTempSubdirectory("ash-data-").FullName;

    private string Data => Path.Combine(_parent, "a", "data");

    [Fact]
    public void Folder_IsMade_ForItsOwnerAlone_WithAnIdThatStays()
    {
        string id;
        using (var data = Open())
        {
            id = data.ServerId;
            Assert.Equal(OwnerOnly, File.GetUnixFileMode(Data));
            Assert.Null(data.PreviousBootId);

            // Known before the server is up: what it starts is named after the id.
            Assert.Equal((id, Environment.ProcessId, 0), Read());
            data.Announce(4100, "boot");
        }

        Assert.Equal((id, 0, 0), Read());
        using var again = Open();
        Assert.Equal((id, "boot"), (again.ServerId, again.PreviousBootId));
    }

    [Fact]
    public void Folder_IsRefused_WhileItIsHeld()
    {
        using var data = Open();

        Assert.Contains($"is in use by the server with pid {Environment.ProcessId} that is just starting", DataFolder.FindProblem(Data), StringComparison.Ordinal);
        data.Announce(4100, "boot");
        Assert.Null(DataFolder.TryOpen(Data, out var problem));
        Assert.Contains($"is in use by the server with pid {Environment.ProcessId} on port 4100", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Look_TouchesNothing()
    {
        Assert.Null(DataFolder.FindProblem(Data));

        Assert.Empty(Directory.EnumerateFileSystemEntries(_parent));
    }

    [Fact]
    public void LockOfACrash_IsNoObstacle()
    {
        Directory.CreateDirectory(Data);
        File.WriteAllText(Path.Combine(Data, "lock"), string.Empty);
        File.WriteAllText(Path.Combine(Data, "server.json"), """{"id":"abcdefgh","pid":1,"port":4100,"bootId":"b"}""");

        using var data = Open();

        Assert.Equal("abcdefgh", data.ServerId);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"id":"../../etc","pid":0,"port":0}""")]
    public void ServerFile_IsRefused_WhenItIsDamaged(string text)
    {
        Directory.CreateDirectory(Data);
        File.WriteAllText(Path.Combine(Data, "server.json"), text);

        Assert.Null(DataFolder.TryOpen(Data, out var problem));
        Assert.Contains("server.json is damaged; remove this file", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void LeftOversOfUploads_Go_AndWhatLivingSandboxesSeeStays()
    {
        using (Open())
        {
            foreach (var name in new[] { "sandbox/etc", "launch-abc", "upload-1" })
            {
                Directory.CreateDirectory(Path.Combine(Data, "tmp", name));
            }
        }

        using var data = Open();

        Assert.Equal(["launch-abc", "sandbox"], Directory.EnumerateDirectories(data.Temporary).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void FolderBelowAFile_IsRefused()
    {
        File.WriteAllText(Path.Combine(_parent, "a"), "in the way");

        Assert.Equal($"ASH_DATA_DIR: {Data} cannot be made, for {_parent}/a is a file; choose another with --data-dir", DataFolder.FindProblem(Data));
    }

    public void Dispose() => Directory.Delete(_parent, recursive: true);

    private DataFolder Open()
    {
        var data = DataFolder.TryOpen(Data, out var problem);
        Assert.Null(problem);
        return data!; // There is one where there is no problem.
    }

    private (string Id, int Pid, int Port) Read()
    {
        var file = DataFolder.ServerFile.TryRead(Data)!; // Written by every test that reads it.
        return (file.Id, file.Pid, file.Port);
    }
}
